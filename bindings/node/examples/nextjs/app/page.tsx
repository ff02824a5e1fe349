export default function Page(): string {
  return "shop";
}
