#pragma once

#include "cache/change_ear.hpp"
#include "cache/shared_driver.hpp"
#include "scalekit/cache/store_params.hpp"

#include <memory>

namespace scalekit::cache::detail {

/// Makes of `auto:URL URL ...` in store_params::shared the first of the URLs whose server answers,
/// or nothing where none does and there is memory. Blocks for shared_timeout a server. Throws
/// std::invalid_argument for a URL that can never work, errc::unavailable, errc::not_allowed.
void choose_shared(store_params& params);

/// Makes of a `file:///directory` URL in store_params::shared a file.directory. Throws
/// std::invalid_argument for one that names none, and beside a file.directory.
void use_directory_of_url(store_params& params);

/// The driver for store_params::shared, a URL that is not of files. Throws std::invalid_argument
/// for what is no URL of a server, or of one that this library was built without; never shows it,
/// for there may be a password in it.
std::unique_ptr<shared_driver> open_driver(const store_params& params);

/// Who hears of changes on that server. Null where it is of a kind that does not tell.
std::unique_ptr<change_ear> open_ear(const store_params& params, change_ear::listener to);

}  // namespace scalekit::cache::detail
