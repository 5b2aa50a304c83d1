/* SPDX-License-Identifier: Apache-2.0
 *
 * The only C++ here: no TOML 1.0 parser in C is packaged, toml++ is. This turns its tree into ours and its exceptions
 * into diags; it judges nothing.
 */
extern "C" {
#include "pipeline/toml.h"
}

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <toml++/toml.h>

namespace
{
/* A document that is TOML but that C cannot hold. */
struct refused {
    toml::source_position at;
    const char *what;
};

template <typename T> T *make_array(arena *arena, size_t count)
{
    void *memory = arena_alloc(arena, count, sizeof(T), alignof(T));
    if (!memory)
        throw std::bad_alloc{};
    return static_cast<T *>(memory);
}

const char *copy_text(arena *arena, std::string_view text, toml::source_position at)
{
    if (text.find('\0') != text.npos)
        throw refused{at, "holds the character \\u0000; expected text without it"};
    return std::strcpy(make_array<char>(arena, text.size() + 1), std::string{text}.c_str());
}

bool in_file_order(const toml_value &a, const toml_value &b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

toml_value convert(arena *arena, const toml::node &node);

toml_value convert_list(arena *arena, const toml::array &list)
{
    toml_value out{};
    toml_value *items = make_array<toml_value>(arena, list.size());
    for (const toml::node &item : list)
        items[out.count++] = convert(arena, item);
    out.type = TOML_LIST;
    out.items = items;
    return out;
}

/* toml++ sorts keys by name; a person reads them by line. */
toml_value convert_table(arena *arena, const toml::table &table)
{
    toml_value out{};
    toml_value *items = make_array<toml_value>(arena, table.size());
    for (auto &&[key, node] : table) {
        toml_value &item = items[out.count++];
        item = convert(arena, node);
        item.key = copy_text(arena, key.str(), key.source().begin);
        item.line = key.source().begin.line;
        item.column = key.source().begin.column;
    }
    std::sort(items, items + out.count, in_file_order);
    out.type = TOML_TABLE;
    out.items = items;
    return out;
}

toml_value convert(arena *arena, const toml::node &node)
{
    toml_value out{};
    if (const auto *table = node.as_table()) {
        out = convert_table(arena, *table);
    } else if (const auto *list = node.as_array()) {
        out = convert_list(arena, *list);
    } else if (const auto *text = node.as_string()) {
        out.type = TOML_STRING;
        out.as.text = copy_text(arena, text->get(), node.source().begin);
    } else if (const auto *integer = node.as_integer()) {
        out.type = TOML_INTEGER;
        out.as.integer = integer->get();
    } else if (const auto *number = node.as_floating_point()) {
        out.type = TOML_FLOAT;
        out.as.number = number->get();
    } else if (const auto *boolean = node.as_boolean()) {
        out.type = TOML_BOOLEAN;
        out.as.boolean = boolean->get();
    } else {
        out.type = TOML_DATE;
    }
    out.line = node.source().begin.line;
    out.column = node.source().begin.column;
    return out;
}

err fail(diag *diag, const char *name, toml::source_position at, const char *what)
{
    const std::string where = std::string{name} + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    return diag_fail(diag, ERR_CONFIG, where.c_str(), nullptr, "%s", what);
}

err parse(toml_value **out, std::string_view text, const char *name, arena *arena, diag *diag)
{
    try {
        const toml::table document = toml::parse(text);
        *out = make_array<toml_value>(arena, 1);
        **out = convert(arena, document);
        return ERR_OK;
    } catch (const toml::parse_error &error) {
        return fail(diag, name, error.source().begin, error.what());
    } catch (const refused &refusal) {
        return fail(diag, name, refusal.at, refusal.what);
    }
}
} // namespace

enum err toml_shim_parse(struct toml_value **out, const char *text, size_t bytes, const char *name, struct arena *arena,
                         struct diag *diag)
{
    try {
        return parse(out, {text, bytes}, name, arena, diag);
    } catch (const std::bad_alloc &) {
        return arena_exhausted(arena, diag);
    } catch (const std::exception &error) {
        return diag_fail(diag, ERR_INTERNAL, name, nullptr, "toml++ failed: %s", error.what());
    } catch (...) {
        return diag_fail(diag, ERR_INTERNAL, name, nullptr, "toml++ failed");
    }
}
