"""Every page of the admin: those that pages link to, and those that only their URLs name."""

from django.contrib import admin
from django.urls import reverse

from devtools.benchmarks.admin.pages import Crawl
from devtools.benchmarks.admin.searches import searches
from tests.plans.work import work


def _list_of(model):
    return f"{model._meta.app_label}_{model._meta.model_name}_changelist"


def _pages_of(model):
    def open_pages(bench):
        name, start = _list_of(model).removesuffix("_changelist"), reverse(f"admin:{_list_of(model)}")
        crawl = Crawl(bench.operator.get, lambda page: (), within=name, start=start, most_values=4, most_objects=1)
        assert _list_of(model) in {page.name for page in crawl.run()}

    open_pages.__name__ = f"operator_opens_every_page_of_{model._meta.model_name}"
    work(open_pages)


def _searches_of(model):
    def search(bench):
        url = reverse(f"admin:{_list_of(model)}")
        for text in searches(_list_of(model)):
            assert bench.operator.get(f"{url}?q={text}").status_code == 200

    search.__name__ = f"operator_searches_{model._meta.model_name}"
    work(search)


# A page of a new model is tested without a change here.
for _model in admin.site._registry:
    _pages_of(_model)
    _searches_of(_model)


@work
def operator_opens_a_page_of_each_name(bench):
    pages = Crawl(bench.operator.get, lambda page: (), most_values=0, most_objects=1).run()
    assert {"index", "notifications_status", "notifications_message_resend"} <= {page.name for page in pages}
