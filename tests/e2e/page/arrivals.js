// Keeps when sound was played and frames were shown of what the test page (page/lab.js) views, for the cases that measure
// how long a break of the network is heard and seen. Times are milliseconds since 1970.
'use strict';

(() => {
  const ASK_MS = 5;
  const kept = new Map(); // id of a view -> instants

  const receiverOf = ({ stream }) => lab.connections.flatMap((one) => one.getReceivers())
    .find((receiver) => stream.getTracks().includes(receiver.track));

  // What was last delivered to the track: concealed sound does not count.
  lab.watchArrivals = (...ids) => {
    for (const id of ids) {
      const instants = [];
      let last = 0;
      kept.set(id, instants);
      setInterval(() => {
        const sources = receiverOf(lab.views.get(id))?.getSynchronizationSources() ?? [];
        const newest = Math.max(0, ...sources.map((one) => one.timestamp));
        if (newest > last) instants.push(Date.now());
        last = Math.max(last, newest);
      }, ASK_MS);
    }
  };

  lab.firstArrival = (id, since, seconds) =>
    lab.until(`${id} comes`, () => kept.get(id).find((at) => at >= since), seconds);

  // The longest time without anything that began since then: [from, to]. What is going on still counts to now.
  lab.longestGap = (id, since) => {
    const instants = kept.get(id);
    let longest = [since, since], before = since;
    for (const at of [...instants.filter((at) => at >= since), Date.now()]) {
      if (at - before > longest[1] - longest[0]) longest = [before, at];
      before = at;
    }
    return longest;
  };
})();
