// Benchmarks of the core's functions, without a server.
#include <benchmark/benchmark.h>

#include "core/decide.hpp"
#include "core/merkle.hpp"
#include "core/rules.hpp"
#include "core/token.hpp"
#include "core/type_id.hpp"

namespace escrowgrid::core {
namespace {

PositionSnapshot funded() {
  PositionSnapshot position = {.terms = {.id = "pos_01m7ydn9t4ep6t2086gvxpy9yd",
                                         .institution_id = "inst_01m7ydn9syfjtbt3k447kpemtc",
                                         .asset_id = "ast_01m7ydn9t2ejw8qdct0s9ghhz6",
                                         .holder_reference = "contractor-4711",
                                         .currency = {.code = "USD", .exponent = 2},
                                         .amount = parse_amount("100000.00").amount,
                                         .external_reference = std::nullopt,
                                         .expires_at = std::nullopt},
                               .state = State::kFunded,
                               .released = {},
                               .refunded = {},
                               .version = 2,
                               .updated_at = 1'700'000'000'000'000,
                               .head_hash = {},
                               .last_event_hash = Digest{}};
  return position;
}

void decide_a_transition(benchmark::State& state) {
  const PositionSnapshot position = funded();
  TransitionRequest request;
  request.to = State::kPartiallyReleased;
  request.amount = parse_amount("30000").amount;
  Refusal why;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decide_transition(position, request, 1'700'000'001'000'000, why));
  }
}
BENCHMARK(decide_a_transition);

void refuse_a_transition(benchmark::State& state) {
  const PositionSnapshot position = funded();
  TransitionRequest request;
  request.to = State::kFunded;
  Refusal why;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decide_transition(position, request, 1'700'000'001'000'000, why));
  }
}
BENCHMARK(refuse_a_transition);

void judge_a_transition(benchmark::State& state) {
  const PositionSnapshot position = funded();
  TransitionRequest request;
  request.to = State::kPartiallyReleased;
  RuleSet rules;
  rules.terms.currency = "USD";
  rules.policy.emplace();
  rules.policy->require_release_amount = true;
  for (auto _ : state) {
    RuleReport report;
    judge_transition(rules, {.position = &position, .request = &request, .metadata_keys = {}}, report);
    benchmark::DoNotOptimize(report.all_passed());
  }
}
BENCHMARK(judge_a_transition);

void hash_an_event(benchmark::State& state) {
  std::array<std::uint8_t, 200> bytes{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(sha256(bytes));
  }
}
BENCHMARK(hash_an_event);

void format_an_id(benchmark::State& state) {
  const std::array<std::uint8_t, kUuidRandomBytes> random{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(format_type_id("ple", make_uuid_v7(1'700'000'000'000'000, random)));
  }
}
BENCHMARK(format_an_id);

void read_and_print_an_amount(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_amount("123456.78").amount.text(2));
  }
}
BENCHMARK(read_and_print_an_amount);

void check_a_token(benchmark::State& state) {
  const std::array<std::uint8_t, kTokenRandomBytes> random{};
  const TokenText token = *make_token(random);
  for (auto _ : state) {
    benchmark::DoNotOptimize(is_plausible_token(token.view()));
    benchmark::DoNotOptimize(hash_token(token.view()));
  }
}
BENCHMARK(check_a_token);

void append_a_leaf(benchmark::State& state) {
  MerkleTree tree;
  for (auto _ : state) {
    tree.append(Digest{});
  }
  benchmark::DoNotOptimize(tree.root());
}
BENCHMARK(append_a_leaf);

}  // namespace
}  // namespace escrowgrid::core

BENCHMARK_MAIN();
