// Which worker a room lives on, and which worker a connection id names. For the router; workers make conn_ids.
// A room is whole on one worker, by a hash that does not change between runs.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace atm0s::control {

size_t worker_of_room(std::string_view room, size_t worker_count);
// "<worker>-<32 hexadecimal digits>", the worker in plain decimal; nullopt for anything else and for foreign workers.
std::optional<size_t> worker_of_conn(std::string_view conn_id, size_t worker_count);

}  // namespace atm0s::control
