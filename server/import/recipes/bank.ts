/**
 * Bank statements in CAMT.053, versions .02 to .13: one booking (`Ntry`) is one payment, or a batch of several.
 * @see https://www.iso20022.org/catalogue-messages/iso-20022-messages-archive?search=camt.053
 */
import { cardNumbersIn, shapeNamed } from "@freehold/shapes";
import { dcterms, fh, schema } from "@freehold/vocab";
import { accountRef, dayOf, oneLine, redact, stableHash } from "../clean.ts";
import { type Decimal, parseDecimal } from "../decimal.ts";
import { boolean, date, decimal, describe, ref, text } from "../frame.ts";
import { type Context, type Reading, type Source, skipped } from "../reading.ts";
import { refuse } from "../source.ts";
import { at, readXml, textAt, type XmlNode } from "../xml.ts";

const SHAPE = shapeNamed("BankTransaction").iri;

interface Statement {
  /** Hashed: the number itself is forgotten at once. */
  readonly account: string;
  /** How often equal payments without a reference have been met in this statement. */
  readonly met: Map<string, number>;
}

interface Payment {
  readonly amount: Decimal;
  readonly currency: string;
  readonly credit: boolean;
  readonly booked: string;
  readonly valued: string | null;
  readonly reversal: boolean;
  readonly name: string | null;
  readonly counterparty: string | null;
  readonly message: string | null;
  readonly code: string | null;
  readonly fee: string | null;
  /** What the bank calls it; null when the file has no reference. */
  readonly reference: string | null;
}

interface Money {
  readonly amount: Decimal;
  readonly currency: string;
}

function moneyAt(node: XmlNode, ...paths: readonly string[]): Money | null {
  for (const path of paths) {
    const amount = parseDecimal(textAt(node, path) ?? "");
    const currency = /^[A-Z]{3}$/.exec(textAt(node, `${path}@Ccy`) ?? "")?.[0];
    if (amount && currency && amount.units >= 0n) return { amount, currency };
  }
  return null;
}

const partyName = (details: XmlNode, role: string): string | null =>
  textAt(
    details,
    `RltdPties/${role}/Pty/Nm`,
    `RltdPties/${role}/Nm`,
    `RltdPties/Ultmt${role}/Pty/Nm`,
    `RltdPties/Ultmt${role}/Nm`,
  );

const accountAt = (node: XmlNode, path: string): string | null =>
  textAt(node, `${path}/Id/IBAN`, `${path}/Id/Othr/Id`);

/** The bank's code in ISO's three levels, or its own. */
function codeOf(node: XmlNode): string | null {
  const levels = [
    textAt(node, "BkTxCd/Domn/Cd"),
    textAt(node, "BkTxCd/Domn/Fmly/Cd"),
    textAt(node, "BkTxCd/Domn/Fmly/SubFmlyCd"),
  ];
  const joined = levels.filter((level) => level !== null).join("-");
  return oneLine(joined || textAt(node, "BkTxCd/Prtry/Cd"), 100);
}

function messageOf(details: XmlNode, entry: XmlNode): string | null {
  const lines = at(details, "RmtInf/Ustrd").map((line) => line.text);
  const written =
    lines.length > 0 ? lines.join(" ") : textAt(details, "RmtInf/Strd/CdtrRefInf/Ref", "AddtlTxInf");
  return redact(oneLine(written ?? textAt(entry, "AddtlNtryInf"), 2_000));
}

/** Charges are bookings in the family of charges. @see https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets */
function feeOf(code: string | null): string | null {
  const [, family = "", kind = ""] = code?.split("-") ?? [];
  return family === "MDOP" || kind === "CHRG" || kind === "FEES" || kind === "COMM" ? kind || family : null;
}

/** What banks write where there is no reference. */
const NO_REFERENCE = /^(?:NOTPROVIDED|NONREF)$/i;

/** @param place In its batch, from 1; null for a booking that stands for itself. */
function referenceOf(details: XmlNode, entry: XmlNode, place: number | null): string | null {
  const whole = textAt(entry, "AcctSvcrRef");
  const own = textAt(details, "Refs/AcctSvcrRef");
  const batch = place === null ? (whole ?? own) : own && own !== whole ? own : whole && `${whole}/${place}`;
  return batch && !NO_REFERENCE.test(batch) ? oneLine(batch, 80) : null;
}

function toPayment(
  details: XmlNode,
  entry: XmlNode,
  money: Money,
  place: number | null,
): Omit<Payment, "booked" | "valued"> {
  const credit = (textAt(details, "CdtDbtInd") ?? textAt(entry, "CdtDbtInd")) === "CRDT";
  const reversal = /^(?:true|1)$/.test(textAt(entry, "RvslInd") ?? "");
  // The other side pays what comes in and is paid what goes out; a reversal turns the money around, not the roles.
  const role = credit === reversal ? "Cdtr" : "Dbtr";
  const code = codeOf(details) ?? codeOf(entry);
  return {
    ...money,
    credit,
    reversal,
    name: redact(oneLine(partyName(details, role), 200)),
    counterparty: accountAt(details, `RltdPties/${role}Acct`),
    message: messageOf(details, entry),
    code,
    fee: feeOf(code),
    reference: referenceOf(details, entry, place),
  };
}

/** A batch becomes its payments if each has an amount in the account's currency; else it stays one booking. */
function paymentsOf(entry: XmlNode, money: Money): readonly Omit<Payment, "booked" | "valued">[] {
  const all = at(entry, "NtryDtls/TxDtls");
  const amounts = all.map((details) => moneyAt(details, "Amt", "AmtDtls/TxAmt/Amt"));
  const isSplit = all.length > 1 && amounts.every((part) => part?.currency === money.currency);
  if (!isSplit) return [toPayment(all.length === 1 ? (all[0] ?? entry) : entry, entry, money, null)];
  return all.map((details, index) => toPayment(details, entry, amounts[index] ?? money, index + 1));
}

function toReading(payment: Payment, statement: Statement, context: Context, seen: Set<string>): Reading {
  const { secret, urlOf } = context;
  const { account } = statement;
  const content = JSON.stringify([
    payment.booked,
    payment.credit,
    payment.amount.units.toString(),
    payment.amount.scale,
    payment.name,
    payment.message,
  ]);
  let parts = ["payment", account, payment.reference ?? ""];
  if (payment.reference === null) {
    // Two coffees of one day are two payments: the second is told from the first by its place among its equals.
    const times = (statement.met.get(content) ?? 0) + 1;
    statement.met.set(content, times);
    parts = ["payment", account, content, String(times)];
  }
  const id = stableHash(secret, parts, 20);
  if (seen.has(id)) return { kind: "duplicate" };
  seen.add(id);
  const path = `bank/${account.slice(0, 11)}/${payment.booked.slice(0, 4)}/${payment.booked.slice(5, 7)}/${id}.ttl`;
  const url = urlOf(path);
  const isCard = payment.reference !== null && cardNumbersIn(payment.reference).length > 0;
  const quads = [
    ...describe(`${url}#it`, [schema.MoneyTransfer], {
      [schema.amount]: ref(`${url}#amount`),
      [fh.direction]: ref(payment.credit ? fh.credit : fh.debit),
      [fh.bookingDate]: date(payment.booked),
      [fh.valueDate]: date(payment.valued),
      [fh.accountRef]: text(account),
      [fh.counterpartyName]: text(payment.name),
      [fh.counterpartyRef]: text(accountRef(secret, payment.counterparty)),
      [fh.remittance]: text(payment.message),
      [dcterms.identifier]: text(payment.reference === null || isCard ? id : redact(payment.reference)),
      [fh.bankTxCode]: text(payment.code),
      [fh.feeKind]: text(payment.fee),
      [fh.reversal]: payment.reversal ? boolean(true) : null,
    }),
    ...describe(`${url}#amount`, [schema.MonetaryAmount], {
      [schema.value]: decimal(payment.amount),
      [schema.currency]: text(payment.currency),
    }),
  ];
  return { kind: "document", path, shape: SHAPE, records: [{ subject: `${url}#it`, quads, weight: 1 }] };
}

/** Bookings that have not happened yet may still change: they are left for the next statement. */
const PENDING = /^(?:PDNG|FUTR|INFO)$/;

/** Statements one after the other; a booking belongs to the account that was named last. */
export async function* readBank(source: Source, context: Context): AsyncGenerator<Reading> {
  const seen = new Set<string>();
  let statement: Statement | null = null;
  for await (const { node, line, tooLarge } of readXml(
    source,
    new Set(["Stmt", "Acct", "Ntry"]),
    context.limits,
  )) {
    if (node.name === "Stmt") statement = null;
    if (node.name === "Acct") {
      const account = accountRef(context.secret, textAt(node, "Id/IBAN", "Id/Othr/Id"));
      if (!account) refuse("The statement does not say which account it is of", line);
      statement = { account, met: new Map() };
    }
    if (node.name !== "Ntry") continue;
    if (!statement) refuse("A booking comes before the account it belongs to", line);
    const money = moneyAt(node, "Amt");
    const direction = textAt(node, "CdtDbtInd");
    const booked = dayOf(textAt(node, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"));
    const status = textAt(node, "Sts/Cd", "Sts") ?? "BOOK";
    if (tooLarge) yield skipped(line, "the booking is too large");
    else if (PENDING.test(status)) yield skipped(line, "the booking is only announced, not yet made");
    else if (!money) yield skipped(line, "the booking has no amount that can be read");
    else if (direction !== "CRDT" && direction !== "DBIT")
      yield skipped(line, "the booking does not say whether money came or went");
    else if (!booked) yield skipped(line, "the booking has no date that can be read");
    else {
      const valued = dayOf(textAt(node, "ValDt/Dt", "ValDt/DtTm"));
      for (const payment of paymentsOf(node, money))
        yield toReading({ ...payment, booked, valued }, statement, context, seen);
    }
  }
}
