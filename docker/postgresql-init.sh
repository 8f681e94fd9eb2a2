#!/usr/bin/env bash
# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
#
# postgresql-init.sh -- run once by the image, as the superuser: a plain role and its databases.

set -euo pipefail

# The image has read its secret as root; this runs as another user, who may not.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
CREATE ROLE shop LOGIN PASSWORD '$POSTGRES_PASSWORD';
CREATE DATABASE accounts OWNER shop;
CREATE DATABASE orders OWNER shop;
SQL
