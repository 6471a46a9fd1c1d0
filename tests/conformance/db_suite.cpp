#include "conformance/db_suite.hpp"
