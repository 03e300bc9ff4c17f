/** Names the tests use and the server does not. */
export const mf = (name: string): string =>
  `http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#${name}`;
export const rdf = (name: string): string => `http://www.w3.org/1999/02/22-rdf-syntax-ns#${name}`;
