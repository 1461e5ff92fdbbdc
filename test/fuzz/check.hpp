// Aborts if a property does not hold that must hold for every input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define ESCROWGRID_CHECK(property)                                                       \
  do {                                                                                   \
    if (!(property)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
