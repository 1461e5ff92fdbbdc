#include "pg/values/random.hpp"

namespace escrowgrid::pg {

namespace {

// Drawing random bytes costs a system call or two, so they are drawn for many ids at once.
struct RandomPool {
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t left = 0;
  int owner = 0;  // the process that drew them
};
RandomPool random_pool;

}  // namespace

void fill_random(std::span<std::uint8_t> bytes) {
  RandomPool& pool = random_pool;
  // After a fork parent and child hold the same bytes. Only the process that drew them may hand them out.
  if (pool.owner != MyProcPid) {
    pool.owner = MyProcPid;
    pool.left = 0;
  }
  if (bytes.size() > pool.bytes.size()) {
    elog(ERROR, "escrowgrid: %zu random bytes are more than the pool holds", bytes.size());
  }
  if (pool.left < bytes.size()) {
    pool.left = 0;
    if (!pg_strong_random(pool.bytes.data(), pool.bytes.size())) {
      ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
    }
    pool.left = pool.bytes.size();
  }
  pool.left -= bytes.size();
  std::uint8_t* drawn = pool.bytes.data() + pool.left;
  std::copy_n(drawn, bytes.size(), bytes.begin());
  std::fill_n(drawn, bytes.size(), std::uint8_t{0});  // bytes that were handed out are not kept
}

core::TypeIdText make_id(std::string_view prefix, core::Micros at) {
  std::array<std::uint8_t, core::kUuidRandomBytes> random{};
  fill_random(random);
  return core::format_type_id(prefix, core::make_uuid_v7(at, random));
}

}  // namespace escrowgrid::pg
