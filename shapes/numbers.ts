/** Numbers that carry their own proof: check digits of products, accounts and cards. */

/** Luhn's formula. @see https://www.iso.org/standard/70484.html (ISO/IEC 7812-1, annex B) */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length > 0 && sum % 10 === 0;
}

/** A product number of 8, 12, 13 or 14 digits with the right last one. @see https://www.gs1.org/services/how-calculate-check-digit-manually */
export function isGtin(text: string): boolean {
  if (!/^(?:\d{8}|\d{12,14})$/.test(text)) return false;
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) {
    sum += (text.charCodeAt(text.length - 1 - index) - 48) * (index % 2 === 1 ? 3 : 1);
  }
  return sum % 10 === 0;
}

/** How long an account number of each country is. @see https://www.swift.com/standards/data-standards/iban-international-bank-account-number */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 " +
    "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 " +
    "MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 " +
    "TL23 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** An account number of the right length and check digits; spaces are allowed. @see https://www.iso.org/standard/81090.html (ISO 13616) */
export function isIban(text: string): boolean {
  const compact = text.replaceAll(" ", "");
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact) || IBAN_LENGTHS[compact.slice(0, 2)] !== compact.length)
    return false;
  let remainder = 0;
  for (const letter of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Account numbers in a text, each as it is written there, with its spaces. */
export function ibansIn(text: string): readonly string[] {
  const found: string[] = [];
  for (const { index } of text.matchAll(/(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?= ?[A-Z0-9])/g)) {
    let letters = IBAN_LENGTHS[text.slice(index, index + 2)] ?? 0;
    let end = index;
    for (; letters > 0 && end < text.length; end += 1) if (text[end] !== " ") letters -= 1;
    const written = text.slice(index, end);
    if (letters === 0 && isIban(written)) found.push(written);
  }
  return found;
}

// Digits as people and machines write card numbers: in one piece, in fours, or 4-6-5 and 4-6-4. Other groupings are
// order and reference numbers; so are longer runs.
const CARD = /^(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})$/;

/**
 * Payment card numbers in a text: 13 to 19 digits that begin as cards do (2 to 6) and pass Luhn's formula.
 * @returns each as it is written in the text; about one in ten random numbers of that form is taken for a card.
 * @see https://www.pcisecuritystandards.org/document_library/ (PCI DSS, requirement 3: do not keep what you need not)
 */
export function cardNumbersIn(text: string): readonly string[] {
  if (text.length < 13) return [];
  return (text.match(/\d(?:[ -]?\d)+/g) ?? []).filter((run) => {
    if (!/^[2-6]/.test(run) || !CARD.test(run)) return false;
    const digits = run.replaceAll(/[ -]/g, "");
    return digits.length >= 13 && digits.length <= 19 && passesLuhn(digits);
  });
}
