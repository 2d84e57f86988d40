/** Seeds that once found something. They run first, for ever. */
export const keptSeeds: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 72, found: "a slice marked behind a turn's place, before an Ingress ahead of it: a rule without members" },
  { seed: 130, found: "the same where the store's pages are short" },
  { seed: 166, found: "a burial before a birth that another uid's past came between: members that never went" },
  { seed: 318, found: "a uid that was buried came back after the end of an older one" },
  { seed: 444, found: "a snapshot to a node that does not answer held up its next delivery for a minute" },
  { seed: 485, found: "a burial that came late made the next one of that name known, and an old birth of it news" },
  { seed: 526, found: "a burial of one uid while another one was known: forgotten" },
  { seed: 1873, found: "an Ingress whose holder died between its claims and its outcome: a rule without its pool" },
  { seed: 20_966, found: "a route from behind a full page, and a slice that was marked after that page was listed" },
  { seed: 21_109, found: "the same with two routes" },
  { seed: 307_876, found: "a cluster that went back, and a Service made anew below the version of its lost namesake" },
  {
    seed: 312_529,
    found: "a cluster that went back to before an Ingress was made anew: the older uid was never believed",
  },
  { seed: 327_093, found: "a cluster that went back, and an IngressClass made anew below the end of its namesake" },
  { seed: 315_202, found: "a store that went back while it was read for a node, to before a LIST: a snapshot of half" },
  { seed: 321_824, found: "what a LIST had and a store that went back had lost: read again, and then its end" },
  { seed: 315_732, found: "a store that went back to before it had heads: nobody began them anew" },
  { seed: 316_920, found: "a copy that stood still with a snapshot half read, while nodes came to stay as they are" },
  { seed: 328_426, found: "an API that lists nothing from the middle of a LIST on: few ends, which are believed" },
  { seed: 332_858, found: "a mark from a list that the turn itself had taken off since: its next one went with it" },
  {
    seed: 719_784,
    found: "a copy that stood still with a request in hand, and sent it when nodes were to stay as they are",
  },
  { seed: 737_560, found: "the same, and again at its next step" },
  {
    seed: 746_536,
    found: "a store that went back to before its first start, when a node knew it: nobody adopted that",
  },
  { seed: 766_063, found: "a crash between what was taken back in groups: claimed again it had no record of its user" },
  {
    seed: 1_008_807,
    found: "a cluster that went back, and an Ingress that lived again before a LIST had told of that",
  },
  { seed: 1_073_831, found: "a turn that referred to a Secret and ended early: nobody read it before the timer" },
  { seed: 4_004_154, found: "a Secret that waited to be read until a turn of many objects came to its end" },
  {
    seed: 4_091_276,
    found:
      "a copy that stood still while a LIST ended: of one of whom only the burial was known it did not check the floor",
  },
  { seed: 5_112_748, found: "an object that a turn put off and marked in one commit: worked off, it stayed put off" },
  { seed: 5_041_288, found: "a LIST that was confirmed too soon, by two clocks that were 50 s apart" },
  { seed: 5_087_915, found: "a cluster that went back between a LIST and the commit of what it had: no fault" },
  {
    seed: 8_177_628,
    found:
      "a store that went back in the middle of its first LIST, to a backup of that time: a part counted as the whole",
  },
];
