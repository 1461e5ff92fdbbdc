// The module's entry: what PostgreSQL loads.
#include "pg/border/postgres.hpp"
#include "pg/border/settings.hpp"
#include "pg/direct/cached_table.hpp"
#include "pg/identity/sign_in.hpp"
#include "pg/table/own_write.hpp"

#pragma GCC visibility push(default)
extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void);  // NOLINT: the name is PostgreSQL's
}
#pragma GCC visibility pop

void _PG_init(void) {
  escrowgrid::pg::define_identity_settings();
  escrowgrid::pg::define_settings();
  escrowgrid::pg::watch_transactions();
  escrowgrid::pg::direct::watch_tables();
}
