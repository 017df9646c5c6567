/** Share of a distance that a playbook with score 1 takes away. Half on purpose: learning must not run away. */
export const boostStrength = 0.5;

/** A playbook whose recorded query lies farther from the query than this is not asked at all (cosine distance). */
export const playbookDistanceMaxDefault = 0.5;

/** Only a playbook recorded for nearly the same query may bring in an answer that retrieval did not find. */
export const playbookInjectDistanceMaxDefault = 0.2;

/** Decimals of a distance shown to a person. */
export const distanceDecimals = 4;

/** Hexadecimal digits of a playbook id behind its `pb-`. */
export const playbookIdDigits = 16;

/** The lowest rating (1 to 5) with which the judge lets an answer in. */
export const judgeRatingMinDefault = 3;
export const judgeRatingMin = 1;
export const judgeRatingMax = 5;

/** One judgement, connecting and reading included. */
export const judgeDeadlineMsDefault = 10_000;

/** A rating takes a few bytes: a longer reply is not one. */
export const judgeReplyBytesMax = 65_536;

/** Metadata beyond this many characters is not shown to the judge. */
export const judgeMetadataCharactersMax = 4_000;
