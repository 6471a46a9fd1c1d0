#pragma once

/// Adds cache.tiered and cache.get_many.
void register_shared();
