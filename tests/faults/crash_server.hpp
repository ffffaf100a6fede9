// The process of bahi_crash that serves a store over TCP and is killed.
#pragma once

#include <cstdint>

#include "crash_child.hpp"

namespace bahi::faults {

struct CrashServerOptions : ChildOptions {
  std::uint16_t port = 0;
};

/// Opens the store on a lossy file system and serves it on the loopback address until it is killed, is told to stop
/// (SIGTERM), or its time is up. The exit code of the process.
int run_server(const CrashServerOptions& options);

}  // namespace bahi::faults
