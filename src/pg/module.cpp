// The module's entry: what PostgreSQL loads.
#include "pg/direct_table.hpp"
#include "pg/guc.hpp"
#include "pg/own_write.hpp"
#include "pg/postgres.hpp"
#include "pg/sign_in.hpp"

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
