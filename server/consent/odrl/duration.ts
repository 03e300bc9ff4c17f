/** Durations, which cannot be compared before they are days. */

/**
 * @returns how many days an `xsd:duration` has at least and at most, for months are not all alike, or null for what is none or
 * less than nothing.
 * @see https://www.w3.org/TR/xmlschema11-2/#duration
 */
export function daysOf(text: string): readonly [least: number, most: number] | null {
  const match =
    /^P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$/.exec(
      text,
    );
  if (!match) return null;
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const sure = days + hours / 24 + minutes / 1_440 + seconds / 86_400;
  return [years * 365 + months * 28 + sure, years * 366 + months * 31 + sure];
}
