// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/transport.hpp>

namespace assent {
inline namespace v0 {
namespace message {

transport::~transport() = default;

}  // namespace message
}  // namespace v0
}  // namespace assent
