// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reader_properties.hpp -- what must hold for every directory, whatever is in it.
//
//   - it is read, or refused by a log_error that says where; a view of it says the same
//   - no block of memory is larger than the reader's own buffer
//   - what was read, written again, is read as the same; and an opening carries it on
//   - a record's body that is decoded encodes to the same body

#ifndef ASSENT_TESTS_READER_PROPERTIES_HPP
#define ASSENT_TESTS_READER_PROPERTIES_HPP

#include <vector>

#include "memory_files.hpp"

namespace assent::testing {

/// Ends the program when one of them does not hold.  @return whether the log was read.
bool check_reader(std::vector<memory_file> const& files);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_READER_PROPERTIES_HPP
