#include "scalekit/core/error.hpp"

#include <utility>

namespace scalekit {
namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "scalekit"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::closed:
        return "closed";
      case errc::forked:
        return "handle was made before fork()";
      case errc::cancelled:
        return "cancelled by the caller";
      case errc::acquire_timeout:
        return "timed out waiting for a local resource";
      case errc::execution_timeout:
        return "timed out waiting for the backend";
      case errc::shed:
        return "shed by overload";
      case errc::breaker_open:
        return "circuit breaker is open";
      case errc::invalid_argument:
        return "invalid argument";
      case errc::invalid_statement:
        return "invalid statement";
      case errc::parameter_mismatch:
        return "parameters do not match the statement";
      case errc::column_mismatch:
        return "columns do not match the result type";
      case errc::value_out_of_range:
        return "value out of range";
      case errc::too_large:
        return "too large";
      case errc::not_found:
        return "not found";
      case errc::not_allowed:
        return "not allowed here";
      case errc::not_supported:
        return "not supported by this backend";
      case errc::constraint_violation:
        return "constraint violation";
      case errc::conflict:
        return "conflict with a concurrent transaction";
      case errc::read_only:
        return "backend is read-only";
      case errc::disk_full:
        return "no space left";
      case errc::corrupt:
        return "stored data is damaged";
      case errc::unavailable:
        return "backend unavailable";
      case errc::connection_lost:
        return "connection lost";
      case errc::io_error:
        return "input/output error";
      case errc::backend_error:
        return "backend error";
      case errc::commit_in_doubt:
        return "outcome of the commit is unknown";
      case errc::lease_lost:
        return "lease lost";
      case errc::write_lost:
        return "an acknowledged write was lost";
    }
    return "unknown scalekit error";
  }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    namespace be = boost::system::errc;
    switch (static_cast<errc>(value)) {
      case errc::cancelled:
        return be::make_error_condition(be::operation_canceled);
      case errc::acquire_timeout:
      case errc::execution_timeout:
        return be::make_error_condition(be::timed_out);
      case errc::invalid_argument:
        return be::make_error_condition(be::invalid_argument);
      case errc::disk_full:
        return be::make_error_condition(be::no_space_on_device);
      case errc::read_only:
        return be::make_error_condition(be::read_only_file_system);
      default:
        return {value, *this};
    }
  }
};

std::string compose(const diagnostics& diag) {
  std::string text = diag.client_message;
  auto add = [&text](std::string_view label, const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += "; ";
    text.append(label).append(part);
  };
  add("at ", diag.origin);
  add("backend code ", diag.backend_code);
  add("backend said: ", diag.server_message);
  return text;
}

boost::system::system_error with_text(const boost::system::error_code& code,
                                      const std::string& text) {
  // An empty text would still put ": " before the code's message.
  if (text.empty()) return boost::system::system_error(code);
  return {code, text};
}

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

error::error() : error(boost::system::error_code{}, diagnostics{}) {}

error::error(boost::system::error_code code, diagnostics diag)
    : boost::system::system_error(with_text(code, compose(diag))),
      diag_(std::make_shared<const diagnostics>(std::move(diag))) {}

error::error(errc code, std::string client_message)
    : error(make_error_code(code), diagnostics{std::move(client_message), {}, {}, {}}) {}

bool is_transient(const boost::system::error_code& code) noexcept {
  if (code.category() != error_category()) return false;
  switch (static_cast<errc>(code.value())) {
    case errc::acquire_timeout:
    case errc::execution_timeout:
    case errc::shed:
    case errc::breaker_open:
    case errc::conflict:
    case errc::unavailable:
    case errc::connection_lost:
      return true;
    default:
      return false;
  }
}

bool is_fatal(const boost::system::error_code& code) noexcept {
  if (code.category() != error_category()) return false;
  switch (static_cast<errc>(code.value())) {
    case errc::closed:
    case errc::forked:
    case errc::connection_lost:
    case errc::corrupt:
    case errc::commit_in_doubt:
      return true;
    default:
      return false;
  }
}

bool outcome_unknown(const boost::system::error_code& code) noexcept {
  return code == make_error_code(errc::commit_in_doubt);
}

bool is_timeout(const boost::system::error_code& code) noexcept {
  return code == make_error_code(errc::acquire_timeout) ||
         code == make_error_code(errc::execution_timeout);
}

error to_error(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const error& known) {
    return known;
  } catch (const boost::system::system_error& foreign) {
    return {foreign.code(), diagnostics{{}, foreign.what(), {}, {}}};
  } catch (const std::exception& foreign) {
    return {make_error_code(errc::backend_error), diagnostics{{}, foreign.what(), {}, {}}};
  } catch (...) {
    return {errc::backend_error, "an exception that is not a std::exception"};
  }
}

}  // namespace scalekit
