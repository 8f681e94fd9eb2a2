// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// export.hpp -- visibility of public symbols.  Exceptions cross shared libraries, so every
// public class with a vtable or type information carries ASSENT_EXPORT.

#ifndef ASSENT_EXPORT_HPP
#define ASSENT_EXPORT_HPP

#define ASSENT_EXPORT __attribute__((visibility("default")))

#endif  // ASSENT_EXPORT_HPP
