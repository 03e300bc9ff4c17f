/** Answers as files for table programs: what strangers wrote is text there, and nothing that runs. */
import { expect } from "chai";
import { csvOf } from "../../server/ui/vendor/table-file.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";

describe("an answer as a file for table programs", () => {
  for (const [value, datatype, written] of [
    ["Lane 1, Bern", undefined, '"Lane 1, Bern"'],
    ['a "b"', undefined, '"a ""b"""'],
    ["=HYPERLINK(A1)", undefined, "'=HYPERLINK(A1)"],
    ['@SUM("x")', undefined, `"'@SUM(""x"")"`],
    ["+41 31 000", undefined, "'+41 31 000"],
    ["-5.20", `${XSD}decimal`, "-5.20"],
    ["=1+1", `${XSD}integer`, "'=1+1"],
    ["-1+1", `${XSD}decimal`, "'-1+1"],
  ] as const)
    it(`has ${value}${datatype ? " that says it is a number" : ""} as ${written}`, () => {
      const cell = { value, ...(datatype === undefined ? {} : { datatype }) };
      expect(csvOf(["x"], [{ x: cell as never }])).to.equal(`x\r\n${written}\r\n`);
    });
});
