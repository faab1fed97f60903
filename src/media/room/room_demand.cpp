// Room: what the viewers of a stream can use of it, on its way to the publisher's session.
#include <algorithm>

#include "media/room/room.h"

namespace atm::room {

share::Demand Room::own_demand(Now now, const Published& published) const {
  share::Demand demand;
  for (const Receiver* receiver : published.subscribers) demand.add(receiver->demand(now));
  return demand;
}

share::Demand Room::take_demand(Now now, Source& source) {
  source.has_new_demand = false;
  Published* published = find_published(source.key);
  if (published == nullptr) return {};
  published->known = own_demand(now, *published);
  for (const ViewingSlice& viewing : published->viewing_slices) published->known.add(viewing.demand);
  return published->known;
}

void Room::on_demand_changed(Now now, Receiver& receiver, Output& out) {
  if (receiver.source() == nullptr) return;
  Published* published = find_published(receiver.source()->key);
  if (published == nullptr || !receiver.demand(now).rises_above(published->known)) return;
  if (is_local(*published)) {
    note_demand(*published, out);
  } else {
    tell_demand(now, *published, out);
  }
}

// To the slice where the publisher is.
void Room::tell_demand(Now now, Published& published, Output& out) {
  published.known = own_demand(now, published);
  if (published.known.viewers > 0) send(published.slice, ViewStream{published.id, published.known}, out);
}

// Here, where the publisher is: its session asks as soon as its timers are looked at. Of audio nobody has to know.
void Room::note_demand(Published& published, Output& out) {
  if (published.source.kind != MediaKind::kVideo) return;
  published.source.has_new_demand = true;
  out.touched.push_back(published.source.owner);
}

// The last subscriber of this slice has gone.
void Room::stop_viewing(Published& published, Output& out) {
  if (is_local(published)) return note_demand(published, out);
  published.known = {};
  send(published.slice, ViewStream{published.id, {}}, out);
}

}  // namespace atm::room
