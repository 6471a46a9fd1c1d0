#pragma once

#include "scalekit/core/detail/settings_table.hpp"
#include "scalekit/core/export.hpp"

#include <concepts>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit {

/// Where a setting's value comes from. Later ones win where several are applied in order.
enum class setting_origin {
  /// The struct's own default.
  built_in,
  /// The host set it in the struct.
  host,
  /// The JSON file.
  file,
  /// The query of a URL.
  url,
};

/// "default", "host", "file", "url".
SCALEKIT_EXPORT const char* to_string(setting_origin origin) noexcept;

/// Which settings came from where: filled while they are applied, read by describe().
class settings_origins {
 public:
  void note(std::string_view name, setting_origin origin) {
    from_.insert_or_assign(std::string(name), origin);
  }

  /// Null for what was never applied from outside.
  const setting_origin* find(std::string_view name) const {
    const auto it = from_.find(name);
    return it == from_.end() ? nullptr : &it->second;
  }

 private:
  std::map<std::string, setting_origin, std::less<>> from_;
};

/// One line of the reference, and of "what is in force here".
struct setting_report {
  std::string name;
  /// The value in force; "***" for a secret that is set, empty for one that is not.
  std::string value;
  setting_origin origin = setting_origin::built_in;
  std::string default_value;
  /// What may be written: "1 ms to 24 h".
  std::string legal;
  std::string doc;
};

/// The settings of one `*_params` struct, declared once: from it come the checks at construction,
/// the reading of URLs and files, and the reference.
///
///     const auto& pool_settings() {
///       static const auto schema = settings_schema<pool_params>("pool_params")
///           .field("max", &pool_params::max, 1, 1000, "Connections at most")
///           .field("wait", &pool_params::wait, 0ms, 1h, "For a connection");
///       return schema;
///     }
///
/// Every error is std::invalid_argument and names the place, the field, the value and what is
/// legal; for an unknown field it suggests the nearest. Values of secrets are never shown.
///
/// Exception safety: strong; after an error the struct is as before.
/// Thread safety: const members may be called from any thread.
template <class T>
class settings_schema {
 public:
  /// `struct_name` begins the names in validate()'s messages.
  explicit settings_schema(std::string struct_name) : table_(std::move(struct_name)) {}

  /// A bool or a std::string. Names are written in lower_case, as the member is called.
  template <class M>
    requires std::same_as<M, bool> || std::same_as<M, std::string>
  settings_schema field(std::string name, M T::*member, std::string doc) && {
    const bool is_bool = std::same_as<M, bool>;
    return std::move(*this).add(std::move(name), member, is_bool ? "true or false" : "text",
                                std::move(doc), [](const M&) { return true; });
  }

  /// A number or a duration from `least` to `most`, both included.
  template <class M>
    requires detail::number<M> || detail::duration<M>
  settings_schema field(std::string name, M T::*member, std::type_identity_t<M> least,
                        std::type_identity_t<M> most, std::string doc) && {
    return std::move(*this).add(
        std::move(name), member,
        detail::setting_text<M>::format(least) + " to " + detail::setting_text<M>::format(most),
        std::move(doc), [least, most](const M& v) { return v >= least && v <= most; });
  }

  /// A number of bytes, written as "64 MiB".
  template <std::unsigned_integral M>
  settings_schema bytes(std::string name, M T::*member, std::type_identity_t<M> least,
                        std::type_identity_t<M> most, std::string doc) && {
    detail::setting entry{.name = std::move(name),
                          .legal = format_size(least) + " to " + format_size(most),
                          .doc = std::move(doc)};
    entry.get = [member](const void* o) { return format_size(of(o).*member); };
    entry.set = [member](void* o, std::string_view text) {
      const auto value = parse_size(text);
      if (!value || !std::in_range<M>(*value)) return false;
      of(o).*member = static_cast<M>(*value);
      return true;
    };
    entry.in_range = [member, least, most](const void* o) {
      return of(o).*member >= least && of(o).*member <= most;
    };
    table_.add(std::move(entry));
    return std::move(*this);
  }

  /// One of a few names, each with its value (an enumerator, mostly).
  template <class M>
  settings_schema choice(std::string name, M T::*member,
                         std::vector<std::pair<std::string, M>> choices, std::string doc) && {
    std::string legal;
    for (const auto& [word, value] : choices) legal += (legal.empty() ? "" : ", ") + word;
    detail::setting entry{
        .name = std::move(name), .legal = std::move(legal), .doc = std::move(doc)};
    entry.get = [member, choices](const void* o) {
      for (const auto& [word, value] : choices) {
        if (value == of(o).*member) return word;
      }
      return std::string("an unnamed value");
    };
    entry.set = [member, choices](void* o, std::string_view text) {
      for (const auto& [word, value] : choices) {
        if (word != text) continue;
        of(o).*member = value;
        return true;
      }
      return false;
    };
    entry.in_range = [member, choices](const void* o) {
      for (const auto& [word, value] : choices) {
        if (value == of(o).*member) return true;
      }
      return false;
    };
    table_.add(std::move(entry));
    return std::move(*this);
  }

  /// Texts: in a JSON file an array, elsewhere with ';' between. From outside there is one at
  /// least. `is_legal` is asked about the whole list.
  settings_schema list(std::string name, std::vector<std::string> T::*member, std::string legal,
                       std::function<bool(const std::vector<std::string>&)> is_legal,
                       std::string doc) && {
    auto self = std::move(*this).add(std::move(name), member, std::move(legal), std::move(doc),
                                     std::move(is_legal));
    self.table_.mark_list();
    return self;
  }

  /// The number or size that was added last may also be 0, which is out of its range and means
  /// `meaning`: "off". `member` is the one it was added with.
  template <class M>
    requires detail::number<M>
  settings_schema or_zero(M T::*member, const std::string& meaning) && {
    table_.widen_last("0 (" + meaning + "), ",
                      [member](const void* o) { return of(o).*member == M{}; });
    return std::move(*this);
  }

  /// A password or key: shown as "***" wherever values are shown.
  settings_schema secret(std::string name, std::string T::*member, std::string doc) && {
    auto self = std::move(*this).field(std::move(name), member, std::move(doc));
    self.table_.mark_secret();
    return self;
  }

  /// The fields of a struct inside the struct. Their names get "`name`." before them; with an
  /// empty `name` they stand beside the others.
  template <class M>
  settings_schema nested(const std::string& name, M T::*member,
                         const settings_schema<M>& inner) && {
    for (auto entry : inner.table().fields()) {
      if (!name.empty()) entry.name = name + "." + entry.name;
      entry.get = [member, get = entry.get](const void* o) { return get(&(of(o).*member)); };
      entry.set = [member, set = entry.set](void* o, std::string_view text) {
        return set(&(of(o).*member), text);
      };
      entry.in_range = [member, in_range = entry.in_range](const void* o) {
        return in_range(&(of(o).*member));
      };
      table_.add(std::move(entry));
    }
    return std::move(*this);
  }

  /// Throws for the first field out of range.
  void validate(const T& params) const { table_.validate(&params); }

  /// Sets one field from text. `where` begins the message of an error.
  void set(T& params, std::string_view name, std::string_view text, std::string_view where,
           setting_origin origin, settings_origins& origins) const {
    T copy = params;
    table_.set(&copy, name, text, where, origin, origins);
    params = std::move(copy);
  }

  /// Sets what the query of a URL ("max=20&wait=250ms", percent-encoded) names. `where` is what
  /// the user calls the URL; the URL itself may hold a password and is not shown. A name given
  /// twice is an error.
  void set_from_query(T& params, std::string_view query, std::string_view where,
                      settings_origins& origins) const {
    T copy = params;
    auto noted = origins;
    table_.set_from_query(&copy, query, where, noted);
    params = std::move(copy);
    origins = std::move(noted);
  }

  /// All fields with the values in force, their origin and the reference.
  std::vector<setting_report> describe(const T& params,
                                       const settings_origins& origins = {}) const {
    const T defaults{};
    return table_.report(&params, &defaults, origins);
  }

  const detail::settings_table& table() const noexcept { return table_; }

 private:
  static const T& of(const void* object) { return *static_cast<const T*>(object); }
  static T& of(void* object) { return *static_cast<T*>(object); }

  template <class M, class InRange>
  settings_schema add(std::string name, M T::*member, std::string legal, std::string doc,
                      InRange in_range) && {
    using text_of = detail::setting_text<M>;
    detail::setting entry{
        .name = std::move(name), .legal = std::move(legal), .doc = std::move(doc)};
    entry.get = [member](const void* o) { return text_of::format(of(o).*member); };
    entry.set = [member](void* o, std::string_view text) {
      auto value = text_of::parse(text);
      if (!value) return false;
      of(o).*member = *std::move(value);
      return true;
    };
    entry.in_range = [member, in_range](const void* o) { return in_range(of(o).*member); };
    table_.add(std::move(entry));
    return std::move(*this);
  }

  detail::settings_table table_;
};

/// The reference as a Markdown table: name, default, legal, meaning.
SCALEKIT_EXPORT std::string to_markdown(const std::vector<setting_report>& settings);

}  // namespace scalekit
