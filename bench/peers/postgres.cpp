#include <array>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "peer.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr const char* kTable =
    "CREATE TABLE events (position bigserial PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL, "
    "type text NOT NULL, data text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version))";
constexpr const char* kCopyIn = "COPY events (stream, version, type, data) FROM STDIN";
constexpr const char* kInsert = "INSERT INTO events (stream, version, type, data) VALUES ($1, $2, $3, $4)";
constexpr const char* kCopyOut =
    "COPY (SELECT position, stream, version, type, recorded_at, data FROM events ORDER BY position) TO STDOUT";
constexpr int kReplayColumns = 6;

class Postgres final : public Peer {
 public:
  explicit Postgres(const PeerAddress& address) {
    const std::string options =
        fmt::format("host={} port={} user=postgres dbname=postgres", address.host, address.port);
    connection_ = PQconnectdb(options.c_str());
    if (PQstatus(connection_) != CONNECTION_OK) complain("connecting");
  }
  ~Postgres() override { PQfinish(connection_); }

  void create() override { run(PQexec(connection_, kTable), PGRES_COMMAND_OK); }

  void append(std::span<const PeerEvent> events) override {
    if (events.size() == 1) return insert(events.front());
    run(PQexec(connection_, kCopyIn), PGRES_COPY_IN);
    rows_.clear();
    for (const PeerEvent& event : events) {
      escape(event.stream);
      rows_ += fmt::format("\t{}\t", event.version);
      escape(event.type);
      rows_ += '\t';
      escape(event.data);
      rows_ += '\n';
    }
    if (PQputCopyData(connection_, rows_.data(), static_cast<int>(rows_.size())) != 1) complain("COPY");
    if (PQputCopyEnd(connection_, nullptr) != 1) complain("COPY");
    run(PQgetResult(connection_), PGRES_COMMAND_OK);
    if (PGresult* more = PQgetResult(connection_); more != nullptr) PQclear(more);
  }

  Replayed replay() override {
    Replayed replayed;
    run(PQexec(connection_, kCopyOut), PGRES_COPY_OUT);
    char* row = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection_, &row, 0)) > 0; PQfreemem(row)) {
      ++replayed.events;
      replayed.data_bytes += take_apart({row, static_cast<std::size_t>(size)});
    }
    run(PQgetResult(connection_), PGRES_COMMAND_OK);
    return replayed;
  }

 private:
  [[noreturn]] void complain(std::string_view what) const {
    fail(fmt::format("PostgreSQL: {}: {}", what, PQerrorMessage(connection_)));
  }
  void run(PGresult* result, ExecStatusType expected) const {
    if (PQresultStatus(result) != expected) complain("a statement");
    PQclear(result);
  }
  void insert(const PeerEvent& event) {
    if (!prepared_) run(PQprepare(connection_, "insert", kInsert, 4, nullptr), PGRES_COMMAND_OK);
    prepared_ = true;
    const std::string version = std::to_string(event.version);
    const std::string type(event.type);
    const std::string data(event.data);
    const std::array<const char*, 4> values{event.stream.c_str(), version.c_str(), type.c_str(), data.c_str()};
    run(PQexecPrepared(connection_, "insert", 4, values.data(), nullptr, nullptr, 0), PGRES_COMMAND_OK);
  }
  void escape(std::string_view text) {
    for (const char c : text) {
      switch (c) {
        case '\\': rows_ += "\\\\"; break;
        case '\t': rows_ += "\\t"; break;
        case '\n': rows_ += "\\n"; break;
        case '\r': rows_ += "\\r"; break;
        default: rows_ += c;
      }
    }
  }
  /// The bytes of the last field. None of the workload's fields needs unescaping.
  static std::size_t take_apart(std::string_view row) {
    int column = 1;
    std::size_t begin = 0;
    for (std::size_t tab = row.find('\t'); tab != std::string_view::npos; tab = row.find('\t', begin)) {
      begin = tab + 1;
      ++column;
    }
    if (column != kReplayColumns) fail("PostgreSQL: a row of another shape");
    return row.size() - begin - 1;
  }

  PGconn* connection_ = nullptr;
  bool prepared_ = false;
  std::string rows_;
};

}  // namespace

std::unique_ptr<Peer> connect_postgres(const PeerAddress& address) {
  return std::make_unique<Postgres>(address);
}

}  // namespace bahi::bench
