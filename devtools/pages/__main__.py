from config.environment import BASE_DIR
from devtools.pages import answers, settings


def main() -> None:
    for name, page in (("settings", settings.page()), ("provider-answers", answers.page())):
        path = f"docs/reference/{name}.md"
        (BASE_DIR / path).write_text(page, encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
