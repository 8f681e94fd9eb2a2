// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// embedding.cpp -- finds the headers, in a project that has Assent's source inside.

#include <assent/assent.hpp>

int main()
{
    return assent::gtrid{}.is_null() ? 0 : 1;
}
