"""The kind. Its templates are those of product news."""

from dataclasses import replace

from accounts.emails import PRODUCT_NEWS
from notifications import Kind, register
from notifications.kinds import DeliveryGuarantee

BULLETIN: Kind = register(replace(PRODUCT_NEWS, name="bulletin", guarantee=DeliveryGuarantee.AT_LEAST_ONCE))
