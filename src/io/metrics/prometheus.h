// GET /metrics as text: the stats of all workers, summed, in Prometheus' exposition format 0.0.4. Called by apps/server
// with the snapshots that the workers answered. Values of one name and one set of labels add up; the order is that of
// first appearance, and all of one name stand together, as the format wants.
#pragma once

#include <span>
#include <string>

#include "contract/command.h"

namespace atm::io {

std::string write_prometheus(std::span<const contract::Stats> workers);

}  // namespace atm::io
