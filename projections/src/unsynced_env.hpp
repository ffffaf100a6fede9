// The file system for databases that nobody needs after a crash: nothing waits for the disk.
#pragma once

namespace rocksdb {
class Env;
}

namespace bahi::projections {

/// Files are written and never synced. Lives for ever; thread-safe.
[[nodiscard]] rocksdb::Env* unsynced_env();

}  // namespace bahi::projections
