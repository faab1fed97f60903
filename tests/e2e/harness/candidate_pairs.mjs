// What a page's connection can go over, by Chromium's statistics: {pair, local, remote, isSelected} for each pair of
// candidates. `connection` is JavaScript that the page evaluates.
export const candidatePairs = (page, connection) => page.evaluate(`(async () => {
  const reports = await (${connection}).getStats();
  const all = [...reports.values()];
  const selected = all.find((report) => report.type === 'transport')?.selectedCandidatePairId;
  return all.filter((report) => report.type === 'candidate-pair').map((pair) => ({ pair, isSelected: pair.id === selected,
    local: reports.get(pair.localCandidateId), remote: reports.get(pair.remoteCandidateId) }));
})()`);

// The one in use; undefined while there is none.
export const selectedPair = async (page, connection) =>
  (await candidatePairs(page, connection)).find(({ isSelected }) => isSelected);
