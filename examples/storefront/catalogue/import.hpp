#pragma once

#include "catalogue/source.hpp"

#include <scalekit/db/client.hpp>

namespace storefront {

/// Fills an empty shop: products, dependencies, retailers with their accounts, past sales.
///
/// Does nothing when that was done before. A half import (the process was killed) is thrown away
/// and done again. Progress goes to stderr. Blocks; throws std::runtime_error when there is
/// nothing to import, and scalekit::error.
void import_catalogue(scalekit::db::client& db, const catalogue_choice& choice);

}  // namespace storefront
