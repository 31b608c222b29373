#include "lab/table.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kelvin::lab {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kMaxBar = 64;
constexpr std::size_t kMinBar = 8;

std::string Painted(std::string_view code, std::string_view text, const Style& style) {
  if (style.color == Color::kNo) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Padded(std::string_view text, std::size_t width, Align align) {
  const std::size_t used = DisplayWidth(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return align == Align::kLeft ? std::string(text) + space : space + std::string(text);
}

std::string WithoutTrailingSpace(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::vector<std::size_t> Widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::size_t width = DisplayWidth(table.columns[i].title);
    for (const auto& row : table.rows) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width);
  }
  return widths;
}

// Which columns go side by side: each part starts with the key columns.
std::vector<std::vector<std::size_t>> Break(const Table& table,
                                            const std::vector<std::size_t>& widths,
                                            std::size_t available) {
  std::vector<std::size_t> keys;
  std::size_t key_width = 0;
  for (std::size_t i = 0; i < table.key_columns; ++i) {
    keys.push_back(i);
    key_width += widths[i] + (i == 0 ? 0 : kGap.size());
  }
  std::vector<std::vector<std::size_t>> parts = {keys};
  std::size_t used = key_width;
  for (std::size_t i = table.key_columns; i < table.columns.size(); ++i) {
    const std::size_t more = kGap.size() + widths[i];
    if (used + more > available && parts.back().size() > keys.size()) {
      parts.push_back(keys);
      used = key_width;
    }
    parts.back().push_back(i);
    used += more;
  }
  return parts;
}

std::string BarGlyphs(double share, std::size_t width, Glyphs glyphs) {
  const double exact = share * static_cast<double>(width);
  if (glyphs == Glyphs::kAscii) {
    return std::string(std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(exact))), '#');
  }
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(exact * 8)));
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  return bar;
}

std::string MarkdownCell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '\\') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

}  // namespace

std::string Bold(std::string_view text, const Style& style) {
  return Painted("1", text, style);
}
std::string Green(std::string_view text, const Style& style) {
  return Painted("32", text, style);
}
std::string Dim(std::string_view text, const Style& style) {
  return Painted("2", text, style);
}

std::size_t DisplayWidth(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // not a continuation byte
  }));
}

std::string RenderTable(const Table& table, const Style& style) {
  const std::vector<std::size_t> widths = Widths(table);
  std::string out;
  for (const auto& part : Break(table, widths, style.width)) {
    if (!out.empty()) out += '\n';
    std::string titles;
    std::string rule;
    for (const std::size_t i : part) {
      if (!titles.empty()) titles += kGap;
      if (!rule.empty()) rule += kGap;
      titles += Padded(table.columns[i].title, widths[i], table.columns[i].align);
      for (std::size_t n = 0; n < widths[i]; ++n) {
        rule += style.glyphs == Glyphs::kUnicode ? "─" : "-";
      }
    }
    out += Bold(WithoutTrailingSpace(std::move(titles)), style) + '\n';
    out += Dim(rule, style) + '\n';
    for (const auto& row : table.rows) {
      std::string line;
      for (const std::size_t i : part) {
        if (!line.empty()) line += kGap;
        line += Padded(row[i], widths[i], table.columns[i].align);
      }
      out += WithoutTrailingSpace(std::move(line)) + '\n';
    }
  }
  return out;
}

std::string RenderMarkdownTable(const Table& table) {
  std::string out = "|";
  std::string rule = "|";
  for (const Column& column : table.columns) {
    out += fmt::format(" {} |", MarkdownCell(column.title));
    rule += column.align == Align::kLeft ? " :--- |" : " ---: |";
  }
  out += '\n' + rule + '\n';
  for (const auto& row : table.rows) {
    out += '|';
    for (const std::string& cell : row) out += fmt::format(" {} |", MarkdownCell(cell));
    out += '\n';
  }
  return out;
}

std::string RenderBars(const std::vector<Bar>& bars, const Style& style) {
  std::size_t label_width = 0;
  std::size_t text_width = 0;
  double longest = 0;
  for (const Bar& bar : bars) {
    label_width = std::max(label_width, DisplayWidth(bar.label));
    const std::size_t mark_width = bar.mark.empty() ? 0 : kGap.size() + DisplayWidth(bar.mark);
    text_width = std::max(text_width, DisplayWidth(bar.text) + mark_width);
    longest = std::max(longest, bar.value);
  }
  const std::size_t around = label_width + kGap.size() + 1 + text_width;
  const std::size_t room = style.width > around + kMinBar ? style.width - around : kMinBar;
  const std::size_t width = std::min(room, kMaxBar);
  std::string out;
  for (const Bar& bar : bars) {
    const std::string glyphs =
        BarGlyphs(longest > 0 ? bar.value / longest : 0, width, style.glyphs);
    out += Padded(bar.label, label_width, Align::kLeft);
    out += kGap;
    out += bar.mark.empty() ? glyphs : Green(glyphs, style);
    out += ' ' + bar.text;
    if (!bar.mark.empty()) {
      out += kGap;
      out += Green(bar.mark, style);
    }
    out += '\n';
  }
  return out;
}

}  // namespace kelvin::lab
