// Which worker a room lives on, and which worker a connection id names. For the router; workers make conn_ids.
// Every room has a worker of its own, by a hash that does not change between runs; when its slice there is full, the
// next ones are asked.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace atm::control {

size_t worker_of_room(std::string_view room, size_t worker_count);
// "<worker>-<session>-<32 digits>", the worker in plain decimal, the rest hexadecimal; nullopt for anything else and
// for foreign workers. Whether there is such a session is for the worker to say.
std::optional<size_t> worker_of_conn(std::string_view conn_id, size_t worker_count);

}  // namespace atm::control
