// Bugs of a forwarder, put into what a viewer was sent: packets of a call without loss are changed to those that a
// server with the bug would have sent. The product is not touched; the judge is held to find each.
#pragma once

#include <vector>

#include "scene.h"

namespace atm::layers {

struct Bug {
  const char* name;
  const char* mode;
  size_t view;  // of usual_schedules()
  // The packets of that view in the order of their numbers; `scene` has the other views. How often it was done.
  size_t (*put_in)(std::vector<ViewedPacket>& packets, const Scene& scene);
};
const std::vector<Bug>& bugs();

}  // namespace atm::layers
