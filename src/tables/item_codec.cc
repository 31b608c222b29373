#include "tables/item_codec.h"

#include <cstdint>
#include <utility>

#include "base/encoding.h"
#include "tables/item_bytes.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

void AppendLength(std::string& out, std::size_t length) {
  while (length >= 0x80) {
    out += static_cast<char>(length | 0x80);
    length >>= 7;
  }
  out += static_cast<char>(length);
}

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendLength(out, bytes.size());
  out += bytes;
}

struct Encoder {
  std::string& out;

  void AppendTag(Tag tag) const { out += static_cast<char>(tag); }
  void Member(const std::string& text) const { AppendBytes(out, text); }
  void Member(const Binary& binary) const { AppendBytes(out, binary.bytes); }
  void Member(const Number& number) const {
    AppendLength(out, number.KeySize());
    number.AppendKeyTo(out);
  }

  void operator()(const std::string& text) const {
    AppendTag(Tag::kString);
    Member(text);
  }
  void operator()(const Number& number) const {
    AppendTag(Tag::kNumber);
    Member(number);
  }
  void operator()(const Binary& binary) const {
    AppendTag(Tag::kBinary);
    Member(binary);
  }
  void operator()(bool flag) const { AppendTag(flag ? Tag::kTrue : Tag::kFalse); }
  void operator()(const Null&) const { AppendTag(Tag::kNull); }
  void operator()(const Value::List& list) const {
    AppendTag(Tag::kList);
    AppendLength(out, list.size());
    for (const Value& value : list) std::visit(*this, value.variant());
  }
  void operator()(const AttributeMap& map) const {
    AppendTag(Tag::kMap);
    Attributes(map);
  }
  template <typename T>
  void operator()(const SetOf<T>& set) const {
    AppendTag(std::is_same_v<T, std::string> ? Tag::kStringSet
              : std::is_same_v<T, Number>    ? Tag::kNumberSet
                                             : Tag::kBinarySet);
    AppendLength(out, set.members.size());
    for (const T& member : set.members) Member(member);
  }
  void Attributes(const AttributeMap& map) const {
    AppendLength(out, map.size());
    for (const auto& [name, value] : map) {
      AppendBytes(out, name);
      std::visit(*this, value.variant());
    }
  }
};

class Decoder {
 public:
  explicit Decoder(ByteReader& reader) : reader_(reader) {}

  Item Attributes(int depth) {
    const std::size_t count = reader_.Count();
    Item item;
    item.Reserve(count);
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) {
      std::string name(reader_.Bytes());
      item.Append(std::move(name), ReadStored(depth));
    }
    return item;
  }

 private:
  Value ReadStored(int depth) {
    if (depth > kMaxNesting) reader_.Fail();
    switch (reader_.ReadTag()) {
      case Tag::kString:
        return Value(std::string(reader_.Bytes()));
      case Tag::kNumber:
        return Value(reader_.ReadNumber());
      case Tag::kBinary:
        return Value(Binary{std::string(reader_.Bytes())});
      case Tag::kFalse:
        return Value(false);
      case Tag::kTrue:
        return Value(true);
      case Tag::kNull:
        return Value(Null{});
      case Tag::kList:
        return ReadList(depth + 1);
      case Tag::kMap:
        return Value(Attributes(depth + 1));
      case Tag::kStringSet:
        return ReadSet<std::string>([this] { return std::string(reader_.Bytes()); });
      case Tag::kNumberSet:
        return ReadSet<Number>([this] { return reader_.ReadNumber(); });
      case Tag::kBinarySet:
        return ReadSet<Binary>([this] { return Binary{std::string(reader_.Bytes())}; });
    }
    reader_.Fail();
    return Value(Null{});
  }

  Value ReadList(int depth) {
    const std::size_t count = reader_.Count();
    Value::List list;
    list.reserve(count);
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) list.push_back(ReadStored(depth));
    return Value(std::move(list));
  }

  template <typename T, typename ReadMember>
  Value ReadSet(ReadMember read_member) {
    const std::size_t count = reader_.Count();
    SetOf<T> set;
    set.members.reserve(count);
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) set.members.push_back(read_member());
    return Value(std::move(set));
  }

  ByteReader& reader_;
};

class Transcoder {
 public:
  Transcoder(ByteReader& reader, JsonWriter& json) : reader_(reader), json_(json) {}

  void Attributes(int depth) {
    json_.BeginObject();
    const std::size_t count = reader_.Count();
    if (depth > 0) size_ += kContainerBytes + count * kElementBytes;
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) {
      json_.Key(Sized(reader_.Bytes()));
      WriteStored(depth);
    }
    json_.EndObject();
  }
  std::size_t size() const { return size_; }

 private:
  std::string_view Sized(std::string_view bytes) {
    size_ += bytes.size();
    return bytes;
  }
  void WriteStored(int depth) {
    if (depth > kMaxNesting) reader_.Fail();
    const Tag tag = reader_.ReadTag();
    json_.BeginObject();
    switch (tag) {
      case Tag::kString:
        json_.Key("S");
        json_.String(Sized(reader_.Bytes()));
        break;
      case Tag::kNumber:
        json_.Key("N");
        WriteNumber();
        break;
      case Tag::kBinary:
        json_.Key("B");
        json_.Quoted(Base64Encode(Sized(reader_.Bytes())));
        break;
      case Tag::kFalse:
      case Tag::kTrue:
        json_.Key("BOOL");
        json_.Boolean(tag == Tag::kTrue);
        ++size_;
        break;
      case Tag::kNull:
        json_.Key("NULL");
        json_.Boolean(true);
        ++size_;
        break;
      case Tag::kList:
        json_.Key("L");
        size_ += kContainerBytes;
        Elements([&] {
          size_ += kElementBytes;
          WriteStored(depth + 1);
        });
        break;
      case Tag::kMap:
        json_.Key("M");
        Attributes(depth + 1);
        break;
      case Tag::kStringSet:
        json_.Key("SS");
        Elements([&] { json_.String(Sized(reader_.Bytes())); });
        break;
      case Tag::kNumberSet:
        json_.Key("NS");
        Elements([&] { WriteNumber(); });
        break;
      case Tag::kBinarySet:
        json_.Key("BS");
        Elements([&] { json_.Quoted(Base64Encode(Sized(reader_.Bytes()))); });
        break;
      default:
        reader_.Fail();
    }
    json_.EndObject();
  }

  void WriteNumber() {
    json_.Separate();
    json_.out() += '"';
    const Number number = reader_.ReadNumber();
    size_ += number.KeySize();
    number.AppendTo(json_.out());
    json_.out() += '"';
  }

  template <typename WriteElement>
  void Elements(WriteElement write_element) {
    json_.BeginArray();
    const std::size_t count = reader_.Count();
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) write_element();
    json_.EndArray();
  }

  ByteReader& reader_;
  JsonWriter& json_;
  std::size_t size_ = 0;
};

}  // namespace

std::string EncodeItem(const Item& item) {
  std::string bytes;
  Encoder{bytes}.Attributes(item);
  return bytes;
}

std::optional<Item> DecodeItem(std::string_view bytes) {
  ByteReader reader(bytes);
  Item item = Decoder(reader).Attributes(0);
  if (!reader.ok() || !reader.AtEnd()) return std::nullopt;
  return item;
}

std::optional<std::size_t> WriteEncodedItem(JsonWriter& json, std::string_view bytes) {
  ByteReader reader(bytes);
  Transcoder transcoder(reader, json);
  transcoder.Attributes(0);
  if (!reader.ok() || !reader.AtEnd()) return std::nullopt;
  return transcoder.size();
}

}  // namespace kelvin::tables
