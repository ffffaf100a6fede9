#include "filler.hpp"

#include "scratch.hpp"

namespace bahi::bench {

Filler::Filler(Engine& engine, TenantId tenant, std::size_t batch, Codec codec)
    : engine_(engine), tenant_(tenant), batch_(batch), builder_({codec, 1}) {}

void Filler::add(const NewEvent& event) {
  require(builder_.add(event), "building a batch");
  if (builder_.event_count() == batch_) cut();
}

void Filler::cut() {
  if (builder_.event_count() == 0) return;
  AppendRequest request;
  request.tenant = tenant_;
  request.body = require(builder_.finish(), "building a batch");
  free_slots_.acquire();
  engine_.submit(std::move(request), [this](Result<AppendResult> result) {
    require(std::move(result), "filling the store");
    free_slots_.release();
  });
}

void Filler::finish() {
  cut();
  // Flushing comes after every answer, and the callbacks have left when it returns.
  for (std::ptrdiff_t i = 0; i < kInFlight; ++i) free_slots_.acquire();
  require(engine_.flush(), "flush");
}

}  // namespace bahi::bench
