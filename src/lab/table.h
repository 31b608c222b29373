#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::lab {

// How text is laid out for whoever reads it.
enum class Color { kNo, kYes };
enum class Glyphs { kAscii, kUnicode };
struct Style {
  std::size_t width = 80;  // columns; output is broken, never cut, to fit where it can be
  Color color = Color::kNo;
  Glyphs glyphs = Glyphs::kAscii;
};

// `text` in bold or in green where the style has colours.
std::string Bold(std::string_view text, const Style& style);
std::string Green(std::string_view text, const Style& style);
std::string Dim(std::string_view text, const Style& style);

// The columns a terminal needs for UTF-8 text of single-width characters.
std::size_t DisplayWidth(std::string_view text);

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kRight;
};

// Cells by row; every row has one cell a column.
struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t key_columns = 1;  // repeated wherever the table is broken
};

// Aligned text. A table wider than the style allows becomes several, one below the other, each with
// the key columns.
std::string RenderTable(const Table& table, const Style& style);

// A GitHub-flavoured Markdown table.
std::string RenderMarkdownTable(const Table& table);

struct Bar {
  std::string label;
  double value = 0;
  std::string text;       // the value as it is to be read
  std::string mark = {};  // "fastest" and the like: shown behind the value, the bar in green
};

// One bar a line, the longest filling the width.
std::string RenderBars(const std::vector<Bar>& bars, const Style& style);

}  // namespace kelvin::lab
