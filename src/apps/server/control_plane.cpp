#include "apps/server/control_plane.h"

#include <numeric>

#include "apps/server/media_workers.h"
#include "base/log.h"
#include "control/http/placement.h"
#include "io/metrics/prometheus.h"

namespace atm::server {
namespace {
// The ticket of the Drain commands: PendingCalls gives from 1 on.
constexpr uint64_t kDrainTicket = 0;
// Sessions linger 500 ms for their last message; whatever is not gone by then is cut.
constexpr Duration kDrainTimeout = 3s;
constexpr Duration kTick = 250ms;
}  // namespace

ControlPlane::ControlPlane()
    : http_([this](const contract::HttpRequest& request, io::HttpServer::Respond respond) {
        on_request(request, std::move(respond));
      }) {}

void ControlPlane::configure(control::RouterConfig config, MediaWorkers& workers) {
  workers_ = &workers;
  router_ = std::make_unique<control::Router>(std::move(config), rng_);
  http_.every(kTick, [this] { on_tick(); });
  http_.on_stop_signal([this] { begin_drain(); });
}

void ControlPlane::run() {
  http_.run();
}

void ControlPlane::on_request(const contract::HttpRequest& request, io::HttpServer::Respond respond) {
  auto outcome = router_->on_request(io::read_clocks(), request);
  if (auto* reply = std::get_if<contract::HttpReply>(&outcome)) return respond(std::move(*reply));
  if (auto* one = std::get_if<control::PostToWorker>(&outcome)) {
    return post({one->worker}, std::move(one->command), one->pending, std::move(respond));
  }
  auto& all = std::get<control::PostToAll>(outcome);
  std::vector<size_t> workers(workers_->count());
  std::iota(workers.begin(), workers.end(), 0);
  post(workers, std::move(all.command), all.pending, std::move(respond));
}

void ControlPlane::post(const std::vector<size_t>& to, contract::Command command, control::Pending pending,
                        io::HttpServer::Respond respond) {
  const uint64_t caller = next_caller_++;
  const auto ticket = calls_.open(io::read_clocks(), pending, caller, to.size());
  if (!ticket) return respond(router_->refuse(pending, ErrorCode::kBusy, "too many calls are under way"));
  command.ticket = *ticket;
  callers_[caller] = std::move(respond);
  for (const size_t worker : to) {
    if (workers_->post(worker, command)) continue;
    calls_.cancel(*ticket);
    const auto waiting = callers_.extract(caller);
    waiting.mapped()(router_->refuse(pending, ErrorCode::kBusy, "a worker has too much to do"));
    return;
  }
}

void ControlPlane::on_reply(contract::Reply reply) {
  auto shared = std::make_shared<contract::Reply>(std::move(reply));
  http_.post([this, shared] {
    if (auto* elsewhere = std::get_if<contract::Elsewhere>(&shared->body)) {
      try_elsewhere(shared->ticket, std::move(elsewhere->command));
    } else if (const auto* question = std::get_if<contract::TokenQuestion>(&shared->body)) {
      answer(*question);
    } else if (shared->ticket == kDrainTicket) {
      if (--drains_awaited_ == 0) end_drain();
    } else if (const auto finished = calls_.on_reply(std::move(*shared))) {
      finish(*finished);
    }
  });
}

// When its worker's mailbox is full the verdict is lost, and the client told to try again.
void ControlPlane::answer(const contract::TokenQuestion& question) {
  const auto worker = control::worker_of_conn(question.conn_id, workers_->count());
  if (worker) workers_->post(*worker, {0, router_->judge(io::read_clocks(), question)});
}

void ControlPlane::try_elsewhere(uint64_t ticket, contract::Connect connect) {
  if (router_->is_revoked(connect.request)) {
    const Error revoked{ErrorCode::kInvalidToken, "the token has been revoked"};
    if (const auto finished = calls_.on_reply({ticket, revoked})) finish(*finished);
    return;
  }
  // From the room's own worker on, one after the other; when all slices are full it goes back to the first.
  const size_t count = workers_->count();
  const size_t tried = ++connect.workers_tried;
  connect.is_last_choice = tried >= count;
  const size_t worker = (control::worker_of_room(connect.request.room, count) + tried) % count;
  if (workers_->post(worker, {ticket, std::move(connect)})) return;
  const Error full{ErrorCode::kBusy, "a worker has too much to do"};
  if (const auto finished = calls_.on_reply({ticket, full})) finish(*finished);
}

void ControlPlane::finish(const control::PendingCalls::Finished& finished) {
  const auto waiting = callers_.extract(finished.caller);
  if (waiting.empty()) return;
  if (finished.replies.empty()) {
    return waiting.mapped()(router_->refuse(finished.pending, ErrorCode::kServerError, "no worker answered in time"));
  }
  if (control::is_admin(finished.pending)) {
    return waiting.mapped()(router_->on_admin_replies(finished.pending, finished.replies));
  }
  if (finished.pending != control::Pending::kMetrics) {
    return waiting.mapped()(router_->on_reply(io::read_clocks(), finished.pending, finished.replies.front()));
  }
  std::vector<contract::Stats> stats;
  for (const contract::Reply& reply : finished.replies) {
    if (const auto* worker = std::get_if<contract::Stats>(&reply.body)) stats.push_back(*worker);
  }
  stats.push_back(router_->stats());
  waiting.mapped()(router_->metrics_reply(io::write_prometheus(stats)));
}

void ControlPlane::on_tick() {
  const Now now = io::read_clocks();
  std::vector<control::PendingCalls::Finished> late;
  calls_.on_timeout(now, late);
  for (const auto& finished : late) finish(finished);
  if (now.mono >= drain_deadline_) end_drain();
}

void ControlPlane::begin_drain() {
  if (is_draining_) return http_.stop();  // asked twice: at once
  is_draining_ = true;
  router_->stop_taking_sessions();
  LOG_INFO("server", "stopping: sessions are told and end, new ones are refused");
  drain_deadline_ = io::read_clocks().mono + kDrainTimeout;
  for (size_t i = 0; i < workers_->count(); ++i) {
    drains_awaited_ += workers_->post(i, {kDrainTicket, contract::Drain{}});
  }
  if (drains_awaited_ == 0) end_drain();
}

void ControlPlane::end_drain() {
  drain_deadline_ = kNever;
  http_.stop();
}

}  // namespace atm::server
