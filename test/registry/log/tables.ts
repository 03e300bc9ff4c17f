/** Notes and checkpoints of others, and every way in which a note, a key and a checkpoint can be malformed. */
import { encodeBase64 } from "../../../client-lib/registry/index.ts";

/** From the specification of signed notes. */
export const EXAMPLE_KEY: string = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
export const EXAMPLE: string = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** From the documentation of Go's package for notes. */
export const PETER_KEY: string = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
export const PETER: string = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

/** A checkpoint of Go's checksum database, as it was served. */
export const SUMDB_KEY: string = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
export const SUMDB: string = `go.sum database tree
35225469
vt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=

— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=
`;

/** From the specification of cosignatures. */
export const COSIGNED: string = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

const line = EXAMPLE.split("\n")[2] ?? "";
const base64 = line.split(" ")[2] ?? "";

/** Each has something that no note has. */
export const BROKEN_NOTES: readonly (readonly [what: string, text: string])[] = [
  ["has no signature", "Text\n"],
  ["has no signature after its empty line", "Text\n\n"],
  ["has no empty line", `Text\n${line}\n`],
  ["does not end in a newline", `Text\n\n${line}`],
  ["has a carriage return", `Text\r\n\n${line}\n`],
  ["has a tab", `Te\txt\n\n${line}\n`],
  ["has a zero byte", `Te\0xt\n\n${line}\n`],
  ["has a lone surrogate", `Te\ud800xt\n\n${line}\n`],
  ["has a hyphen for the dash", `Text\n\n- example.com/foo ${base64}\n`],
  ["has no name in a signature", `Text\n\n—  ${base64}\n`],
  ["has a plus in a name", `Text\n\n— example.com+foo ${base64}\n`],
  ["has a space that is not ASCII in a name", `Text\n\n— example.com\u00a0foo ${base64}\n`],
  ["has something after a signature", `Text\n\n— example.com/foo ${base64} more\n`],
  ["has two spaces before a signature", `Text\n\n— example.com/foo  ${base64}\n`],
  ["has no base64", `Text\n\n— example.com/foo !!!!\n`],
  ["has base64 without its padding", `Text\n\n— example.com/foo ${base64.replace("=", "")}\n`],
  ["has base64 of the other alphabet", `Text\n\n— example.com/foo AAAAAP__\n`],
  ["has base64 with loose bits", `Text\n\n— example.com/foo AAAAAAB=\n`],
  ["has a signature of four bytes", `Text\n\n— example.com/foo AAAAAA==\n`],
  ["has more than 64 signatures", `Text\n\n${`${line}\n`.repeat(65)}`],
];

export const BROKEN_KEYS: readonly (readonly [what: string, key: string])[] = [
  ["has another id", EXAMPLE_KEY.replace("530d903a", "530d903b")],
  ["writes its id in capitals", EXAMPLE_KEY.replace("530d903a", "530D903A")],
  ["has a shorter id", EXAMPLE_KEY.replace("530d903a", "530d903")],
  ["has no name", EXAMPLE_KEY.replace("example.com/foo", "")],
  ["has a space in its name", EXAMPLE_KEY.replace("example.com/foo", "example com")],
  ["has another name", EXAMPLE_KEY.replace("/foo", "/bar")],
  ["is cut off", EXAMPLE_KEY.slice(0, -4)],
  ["has padding too much", `${EXAMPLE_KEY}=`],
  [
    "is of a type that is not known",
    "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=",
  ],
  ["is nothing", ""],
];

export const ROOT: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(9);
const hash = encodeBase64(ROOT);

export const BROKEN_CHECKPOINTS: readonly (readonly [what: string, body: string])[] = [
  ["has two lines", "Log\n3\n"],
  ["has no origin", `\n3\n${hash}\n`],
  ["does not end in a newline", `Log\n3\n${hash}`],
  ["has an empty line", `Log\n3\n${hash}\n\nmore\n`],
  ["has a size that is no number", `Log\nbananas\n${hash}\n`],
  ["has a negative size", `Log\n-3\n${hash}\n`],
  ["has a size with a zero before it", `Log\n03\n${hash}\n`],
  ["has a size with a plus", `Log\n+3\n${hash}\n`],
  ["has a size beyond what numbers count", `Log\n9007199254740993\n${hash}\n`],
  ["has a root of another length", `Log\n3\nYmFuYW5hcw==\n`],
  ["has a root that is not base64", `Log\n3\nThisIsn'tBase64\n`],
  ["has a root without padding", `Log\n3\n${hash.slice(0, -1)}\n`],
  ["has a root with loose bits", `Log\n3\n${hash.slice(0, -2)}l=\n`],
];
