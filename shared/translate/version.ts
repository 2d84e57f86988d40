/** Goes up whenever the same objects are translated into something else: every copy then translates everything anew. */
export const translatorVersion = 6;
