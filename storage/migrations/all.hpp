// The SQL of every migration, one header each: migrations.cpp gives them their numbers and reasons.
#pragma once

#include "storage/migrations/001.hpp"
#include "storage/migrations/002.hpp"
#include "storage/migrations/003.hpp"
#include "storage/migrations/004.hpp"
#include "storage/migrations/005.hpp"
#include "storage/migrations/006.hpp"
#include "storage/migrations/007.hpp"
#include "storage/migrations/008.hpp"
#include "storage/migrations/009.hpp"
#include "storage/migrations/010.hpp"
#include "storage/migrations/011.hpp"
#include "storage/migrations/012.hpp"
