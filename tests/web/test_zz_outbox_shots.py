from tests.web.test_outbox_browser import *  # noqa
def test_shots(browser, site, campaign, confirmation):
    for scheme in ("light","dark"):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        sign_in(page, site)
        def shot(name):
            page.wait_for_timeout(300)
            page.screenshot(path=f"/tmp/ob_{name}_{scheme}.png", full_page=True)
        page.goto(f"{site}/outbox"); shot("list")
        page.goto(f"{site}/outbox/{campaign}"); shot("html")
        page.goto(f"{site}/outbox/{campaign}?show=html&view=dark"); shot("htmldark")
        page.goto(f"{site}/outbox/{campaign}?show=checks"); shot("checks")
        page.goto(f"{site}/outbox/{campaign}?show=links"); shot("links")
        page.goto(f"{site}/outbox/{campaign}?show=headers"); shot("headers")
        page.goto(f"{site}/outbox/{campaign}?show=text"); shot("text")
        page.goto(f"{site}/outbox/{campaign}/open"); shot("open")
        page.goto(f"{site}/outbox/{campaign}"); page.get_by_role("button", name="Let a scanner").click(); shot("scan")
        page.get_by_role("button", name="Press the mail").click(); shot("press")
        page.set_viewport_size({"width": 320, "height": 800})
        page.goto(f"{site}/outbox"); shot("list320")
        page.goto(f"{site}/outbox/{campaign}?show=links"); shot("links320")
        page.close()
