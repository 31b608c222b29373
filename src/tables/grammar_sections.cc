// The outer form of projections and updates.
#include <array>
#include <string_view>
#include <vector>

#include "tables/grammar.h"

namespace kelvin::tables {
namespace {

constexpr std::array<std::string_view, 4> kSections = {"SET", "REMOVE", "ADD", "DELETE"};

}  // namespace

std::vector<Path> Grammar::Projection() {
  std::vector<Path> paths;
  do {
    paths.push_back(DocumentPath());
  } while (TakeSymbol(","));
  ExpectEnd();
  return paths;
}

Update Grammar::Updates() {
  reads_update_ = true;
  Update update;
  do {
    Section(update);
  } while (error_.empty() && Peek().kind != TokenKind::kEnd);
  return update;
}

void Grammar::Section(Update& update) {
  for (std::size_t i = 0; i < kSections.size(); ++i) {
    if (!IsKeyword(Peek(), kSections[i])) continue;
    Take();
    const unsigned bit = 1U << i;
    if ((sections_ & bit) != 0 && repeated_section_.empty()) repeated_section_ = kSections[i];
    sections_ |= bit;
    do {
      update.push_back(Action(static_cast<UpdateAction::Kind>(i)));
      ++operators_;
    } while (TakeSymbol(","));
    return;
  }
  Fail();
}

UpdateAction Grammar::Action(UpdateAction::Kind kind) {
  UpdateAction action;
  action.kind = kind;
  action.path = DocumentPath();
  switch (kind) {
    case UpdateAction::Kind::kSet:
      Expect("=");
      action.operand = SetValue();
      break;
    case UpdateAction::Kind::kRemove:
      break;
    case UpdateAction::Kind::kAdd:
    case UpdateAction::Kind::kDelete:
      if (Peek().kind != TokenKind::kValue) Fail();
      action.operand.token = Take().text;
      break;
  }
  return action;
}

}  // namespace kelvin::tables
