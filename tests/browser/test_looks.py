"""A look is applied when its colours are."""

from tests.browser.looks import LOOKS

LINK = """<style>
    a { color: rgb(0, 0, 0); transition: color 1s }
    @media (prefers-color-scheme: dark) { a { color: rgb(255, 255, 255) } }
    b { animation: turn 1s infinite } @keyframes turn { to { rotate: 1turn } }
</style><a href="/">link</a> <b>turns</b>"""


def test_colours_do_not_change_after_a_look_is_applied(browser):
    light, dark, *_ = LOOKS
    with light.open(browser) as context:
        page = context.new_page()
        page.set_content(LINK)
        for look, colour in ((dark, "rgb(255, 255, 255)"), (light, "rgb(0, 0, 0)")):
            look.apply(page)
            assert page.evaluate("getComputedStyle(document.querySelector('a')).color") == colour
