/** Unix seconds as a DATETIME in UTC; a fraction is cut off, as MariaDB cuts it. */
export function sqlTime(unixSeconds: number): string {
  return new Date(Math.floor(unixSeconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
}
