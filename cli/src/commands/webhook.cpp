// Webhooks of payment providers from the command line: verified, translated, appended.
#include <algorithm>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include "bahi/base/clock.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/private_file.hpp"
#include "bahi/webhooks/delivery.hpp"
#include "bahi/webhooks/signature.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  std::string secret_file;
  std::string signature;
  std::string event_id;
  std::vector<std::string> headers;
  std::uint32_t tolerance_s = static_cast<std::uint32_t>(webhooks::kToleranceDefault.count());
};

/// A header of the request, by its name in any case; empty: there is none.
std::string header(const Arguments& arguments, std::string_view name) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  for (const std::string& each : arguments.headers) {
    const std::size_t colon = each.find(':');
    const std::string_view given = std::string_view(each).substr(0, colon);
    if (!std::equal(given.begin(), given.end(), name.begin(), name.end(), same)) continue;
    const std::size_t begin = each.find_first_not_of(" \t", colon + 1);
    const std::size_t end = each.find_last_not_of(" \t\r\n");
    return begin == std::string::npos ? "" : each.substr(begin, end - begin + 1);
  }
  return {};
}

Result<webhooks::Delivery> receive_stripe(const Arguments& arguments, std::string_view body) {
  BAHI_ASSIGN(const auto secrets, read_secrets(arguments.secret_file));
  const std::string signature =
      arguments.signature.empty() ? header(arguments, "stripe-signature") : arguments.signature;
  BAHI_TRY(webhooks::verify_stripe(signature, body, secrets, SystemClock::instance(),
                                   std::chrono::seconds(arguments.tolerance_s)));
  return webhooks::read_stripe(body);
}

Result<webhooks::Delivery> receive_razorpay(const Arguments& arguments, std::string_view body) {
  BAHI_ASSIGN(const auto secrets, read_secrets(arguments.secret_file));
  const std::string signature =
      arguments.signature.empty() ? header(arguments, "x-razorpay-signature") : arguments.signature;
  BAHI_TRY(webhooks::verify_razorpay(signature, body, secrets));
  return webhooks::read_razorpay(
      body, arguments.event_id.empty() ? header(arguments, "x-razorpay-event-id") : arguments.event_id);
}

using Receive = Result<webhooks::Delivery> (*)(const Arguments& arguments, std::string_view body);

Status show(const webhooks::Delivery& delivery, const AppendResult& stored) {
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  text = "{\"event\":";
  append_json_string(delivery.event, text);
  text += ",\"type\":";
  append_json_string(delivery.type, text);
  text += ",\"translated\":[";
  for (const webhooks::TranslatedEvent& event : delivery.events) {
    if (text.back() != '[') text += ',';
    append_json_string(event.type, text);
  }
  text += ']';
  if (!delivery.not_translated.empty()) {
    text += ",\"not_translated\":";
    append_json_string(delivery.not_translated, text);
  }
  text += fmt::format(",\"first_offset\":{},\"event_count\":{},\"duplicate\":{}}}\n", stored.first_offset.value,
                      stored.event_count, stored.duplicate);
  return output.flush();
}

Result<ExitCode> run_webhook(const Context& context, const Arguments& arguments, Receive receive) {
  const std::string body{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  BAHI_ASSIGN(const webhooks::Delivery delivery, receive(arguments, body));
  BAHI_ASSIGN(AppendRequest request, webhooks::append_of(delivery, body, SystemClock::instance().now()));
  BAHI_ASSIGN(const auto log, open_log(context, arguments.tenant, {}));
  BAHI_ASSIGN(const AppendResult stored, log->append(std::move(request)));
  BAHI_TRY(log->close());
  BAHI_TRY(show(delivery, stored));
  return ExitCode::kOk;
}

}  // namespace

void add_webhook_commands(CLI::App& app, Context& context) {
  CLI::App* const group = app.add_subcommand(
      "webhook", "Take a payment provider's webhook (the request's body on standard input), verify and append it");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, Receive receive) {
    CLI::App* const command = group->add_subcommand(name, help);
    auto arguments = std::make_shared<Arguments>();
    command->add_option("--tenant,-t", arguments->tenant, "The tenant whose log gets the events")->required();
    command
        ->add_option("--secret-file", arguments->secret_file,
                     "File with the endpoint's secret, for nobody else to read; while it is being changed, one a line")
        ->required();
    command
        ->add_option("--header", arguments->headers, "A header of the request, NAME: VALUE; may be given several times")
        ->allow_extra_args(false);
    command->add_option("--signature", arguments->signature,
                        "The value of the signature's header, instead of --header");
    command->callback([&context, arguments, receive] {
      context.action = [&context, arguments, receive] { return run_webhook(context, *arguments, receive); };
    });
    return std::pair{command, arguments};
  };
  const auto [stripe, stripe_arguments] = add("stripe", "With the header Stripe-Signature", &receive_stripe);
  stripe
      ->add_option("--tolerance-s", stripe_arguments->tolerance_s,
                   "How far the signature's time may lie from now, in seconds, either way")
      ->capture_default_str();
  stripe->footer(
      "Example:\n"
      "  bahi webhook stripe -t shop --secret-file secret --header \"Stripe-Signature: $SIGNATURE\" < body");
  const auto [razorpay, razorpay_arguments] =
      add("razorpay", "With the headers X-Razorpay-Signature and X-Razorpay-Event-Id", &receive_razorpay);
  razorpay->add_option("--event-id", razorpay_arguments->event_id,
                       "The value of X-Razorpay-Event-Id, instead of --header");
  razorpay->footer(
      "Example:\n"
      "  bahi webhook razorpay -t shop --secret-file secret --signature $SIGNATURE --event-id $EVENT < body");
}

}  // namespace bahi::cli
