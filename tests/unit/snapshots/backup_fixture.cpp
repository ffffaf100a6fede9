#include "backup_fixture.hpp"

#include <algorithm>
#include <fstream>

namespace bahi::test {

BackedUpStore::BackedUpStore() : engine_(open_engine(directory_.path() / "store")) {
  const auto shop = engine_->create_tenant("shop");
  REQUIRE(shop);
  shop_ = *shop;
  const auto office = engine_->create_tenant("office");
  REQUIRE(office);
  office_ = *office;
}

void BackedUpStore::write(std::size_t batches, std::size_t events) {
  for (std::size_t i = 0; i < batches; ++i) {
    std::vector<Event> batch;
    for (std::size_t k = 0; k < events; ++k) {
      const std::string number = std::to_string(written_++);
      batch.push_back(
          {"order-" + std::to_string(written_ % 7), "happened", R"({"n":)" + number + "}", {"n:" + number}});
    }
    REQUIRE(append(*engine_, shop_, batch));
    REQUIRE(append(*engine_, office_, batch));
  }
}

BackupOutcome BackedUpStore::back_up(const BackupOptions& options) {
  BackupOptions modest = options;
  modest.free_bytes_min = 0;
  auto outcome = create_backup(*engine_, backups(), modest);
  REQUIRE(outcome);
  return std::move(*outcome);
}

Result<RestoreReport> BackedUpStore::try_restore(const std::string& name, const RestoreOptions& options) {
  RestoreOptions small = options;
  small.engine = small_options();
  return restore_backup(backups(), place(name), small);
}

std::unique_ptr<Engine> BackedUpStore::restore(const std::string& name, const RestoreOptions& options) {
  REQUIRE(try_restore(name, options));
  EngineOptions settings = small_options();
  settings.create_if_missing = false;
  return open_engine(place(name), settings);
}

void BackedUpStore::overwrite(const std::string& file, std::uint64_t offset, std::string_view bytes) const {
  std::fstream stream(backups() / file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(stream.good());
}

std::vector<std::string> stored_batches(const Engine& engine, TenantId tenant, Offset end) {
  std::vector<std::string> batches;
  const auto cursor = engine.read_batches(tenant, {0}, end);
  REQUIRE(cursor);
  for (;;) {
    const auto more = (*cursor)->next();
    REQUIRE(more);
    if (!*more) return batches;
    batches.emplace_back((*cursor)->stored());
  }
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace bahi::test
