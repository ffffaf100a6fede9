// Message timelines in process, for tests that look behind the answers.
#pragma once

#include "process_host.hpp"
#include "timelines_fixture.hpp"

namespace bahi::projections::test_timelines {

struct ProcessChat : Chat {
  ProcessChat() : Chat(std::make_unique<test::ProcessHost>("timelines")) {}
  test::ProcessHost* process = static_cast<test::ProcessHost*>(host.get());
};

}  // namespace bahi::projections::test_timelines
