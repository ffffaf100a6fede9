#include "sellers.hpp"

#include <atomic>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include "bahi/client/client.hpp"
#include "bahi/workload/random.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kTimeoutMs = 60'000;

json::object parse(const std::string& text) {
  return json::parse(text).as_object();
}

/// One run. Answers come on the clients' threads, which is where the next sale is asked for.
class Market {
 public:
  Market(const SellerSettings& settings, std::string name, unsigned items, std::int64_t stock)
      : settings_(settings), name_(std::move(name)), stock_(stock), sold_(items) {
    for (unsigned i = 0; i < std::max(1U, std::min(settings.clients, settings.sellers)); ++i) {
      clients_.push_back(require(client::Client::connect(settings.client), "connecting"));
    }
  }

  void receive() {
    for (std::size_t item = 0; item < sold_.size(); ++item) {
      BatchBuilder builder;
      const std::string item_name = name_of(item);
      const std::string stream = "stock-" + item_name;
      const std::string defined = fmt::format(R"({{"item":"{0}","name":"{0}","unit":"piece"}})", item_name);
      const std::string received = fmt::format(
          R"({{"item":"{}","batch":"b1","location":"main","quantity":{},"cost_paise":{},"mrp_paise":2500}})", item_name,
          stock_, stock_ * 1'751);
      NewEvent event;
      const std::string tag = "stock:" + item_name;
      event.stream = stream;
      event.tags = {tag};
      event.type = "stock.ItemDefined";
      event.data = defined;
      require(builder.add(event), "an item");
      event.type = "stock.BatchReceived";
      event.data = received;
      require(builder.add(event), "a batch");
      AppendRequest request;
      request.body = require(builder.finish(), "an append");
      note_end(require(clients_[0]->append(std::move(request)), "receiving stock"));
    }
  }

  void sell() {
    begin_ = now_nanos();
    end_ = begin_ + static_cast<std::uint64_t>(settings_.seconds * 1e9);
    running_ = settings_.sellers;
    for (unsigned i = 0; i < settings_.sellers; ++i) {
      sellers_.push_back(std::make_unique<Seller>(i, clients_[i % clients_.size()].get()));
    }
    for (const auto& seller : sellers_) ask(*seller);
    for (unsigned left = running_; left != 0; left = running_) running_.wait(left);
    seconds_ = static_cast<double>(now_nanos() - begin_) / 1e9;
  }

  /// Ends the program when a piece or a paisa is missing.
  void check() {
    for (std::size_t item = 0; item < sold_.size(); ++item) {
      const auto available = ask_stock("availability", fmt::format(R"({{"item":"{}"}})", name_of(item)));
      const auto& total = available.at("total").as_object();
      const std::int64_t on_hand = total.at("on_hand").to_number<std::int64_t>();
      const std::int64_t sold = sold_[item];
      if (on_hand < 0 || on_hand + sold != stock_) {
        fail(
            fmt::format("{}: {} pieces were received, {} sold, and {} are left", name_of(item), stock_, sold, on_hand));
      }
      check_ledger(item, on_hand, total.at("paise").to_number<std::int64_t>());
    }
  }

  [[nodiscard]] double per_second() const { return static_cast<double>(decided_) / seconds_; }
  [[nodiscard]] std::uint64_t decided() const { return decided_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  /// Sales that met conflicts for longer than they had time.
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
  [[nodiscard]] const Histogram& latency() const { return latency_; }

 private:
  struct Seller {
    Seller(unsigned number_of, client::Client* client_of) : number(number_of), client(client_of), random(number_of) {}
    const unsigned number;
    client::Client* const client;
    workload::Random random;
    std::uint64_t sales = 0;
    std::size_t item = 0;
    std::uint64_t asked_at = 0;
  };

  [[nodiscard]] std::string name_of(std::size_t item) const { return fmt::format("{}-{:04}", name_, item); }

  void ask(Seller& seller) {
    seller.item = seller.random.below(sold_.size());
    seller.asked_at = now_nanos();
    const std::string sale = fmt::format("{}-{}-{}", name_, seller.number, ++seller.sales);
    wire::Command command{"stock",
                          "sell",
                          fmt::format(R"({{"sale":"{}","location":"main","lines":[{{"item":"{}","quantity":1}}]}})",
                                      sale, name_of(seller.item)),
                          {},
                          kTimeoutMs};
    seller.client->submit(std::move(command),
                          [this, &seller](Result<wire::CommandAnswer> answer) { take(seller, answer); });
  }

  void take(Seller& seller, const Result<wire::CommandAnswer>& answer) {
    const std::uint64_t now = now_nanos();
    if (answer) {
      ++decided_;
      ++sold_[seller.item];
      latency_.record(now - seller.asked_at);
      note_end(answer->first_offset.value + answer->event_count);
    } else if (answer.error().code() == ErrorCode::kRefused) {
      ++refused_;
    } else if (answer.error().code() == ErrorCode::kDeadlineExceeded) {
      ++given_up_;  // nothing was stored
    } else {
      fail(fmt::format("a sale: {}", answer.error().to_string()));
    }
    if (now < end_) return ask(seller);
    if (running_.fetch_sub(1) == 1) running_.notify_all();
  }

  void note_end(const AppendResult& appended) { note_end(appended.first_offset.value + appended.event_count); }
  void note_end(std::uint64_t end) {
    std::uint64_t known = log_end_;
    while (known < end && !log_end_.compare_exchange_weak(known, end)) {
    }
  }

  json::object ask_stock(const std::string& query, const std::string& arguments) {
    return parse(require(clients_[0]->query({"stock", query, arguments, Offset{log_end_}, kTimeoutMs}), query).json);
  }

  void check_ledger(std::size_t item, std::int64_t on_hand, std::int64_t value) {
    std::int64_t quantity = 0;
    std::int64_t paise = 0;
    std::string cursor;
    for (;;) {
      const auto page = ask_stock(
          "ledger", fmt::format(R"({{"item":"{}","location":"main","limit":1000{}}})", name_of(item), cursor));
      for (const auto& row : page.at("rows").as_array()) {
        quantity += row.as_object().at("quantity").to_number<std::int64_t>();
        paise += row.as_object().at("paise").to_number<std::int64_t>();
        if (quantity < 0) fail(fmt::format("{}: oversold in between", name_of(item)));
      }
      const auto* const next = page.if_contains("next");
      if (next == nullptr) break;
      cursor = fmt::format(R"(,"cursor":"{}")", next->as_string().c_str());
    }
    if (quantity == on_hand && paise == value) return;
    fail(fmt::format("{}: the ledger adds up to {} pieces and {} paise, the balance is {} and {}", name_of(item),
                     quantity, paise, on_hand, value));
  }

  const SellerSettings settings_;
  const std::string name_;
  const std::int64_t stock_;
  std::vector<std::atomic<std::int64_t>> sold_;
  std::vector<std::unique_ptr<Seller>> sellers_;
  std::atomic<unsigned> running_{0};
  std::atomic<std::uint64_t> decided_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> given_up_{0};
  std::atomic<std::uint64_t> log_end_{0};
  Histogram latency_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  double seconds_ = 0;
  std::vector<std::unique_ptr<client::Client>> clients_;  // last, so that no answer comes to what has gone
};

}  // namespace

void run_sellers(const SellerSettings& settings, const std::string& name, unsigned items, std::int64_t stock,
                 double target_per_second, Report& report) {
  Market market(settings, name, items, stock);
  market.receive();
  market.sell();
  market.check();
  fmt::print(
      "{} sellers on {} items with {} pieces each: {:.0f} sales/s, {} sold, {} refused, {} given up; {}; nothing "
      "oversold, "
      "every ledger adds up\n",
      settings.sellers, items, stock, market.per_second(), market.decided(), market.refused(), market.given_up(),
      format_latency(market.latency()));
  std::fflush(stdout);
  report.add_result({{"kind", "sellers"},
                     {"sellers", settings.sellers},
                     {"items", items},
                     {"stock", stock},
                     {"sales_per_second", market.per_second()},
                     {"sold", market.decided()},
                     {"refused", market.refused()},
                     {"given_up", market.given_up()},
                     {"latency", latency_json(market.latency())}});
  if (target_per_second > 0) {
    report.target(fmt::format("{} sellers on {} items", settings.sellers, items), market.per_second() / 1e3, true,
                  target_per_second / 1e3, "k decided sales/s", 1);
  }
}

}  // namespace bahi::bench
