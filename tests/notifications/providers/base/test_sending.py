from uuid import uuid4

from notifications.providers.base.sending import BatchRecipient, OutgoingBatch, OutgoingEmail


def test_each_recipient_of_a_batch_gets_its_own_text():
    ada = BatchRecipient(
        message_id=uuid4(),
        attempt=2,
        to_address="ada@example.com",
        to_name="Ada",
        headers={"Message-ID": "<1@shop.example>"},
        fields={"token-1-x": "Ada & Co", "token-1-h": "Ada &amp; Co"},
    )
    bob = BatchRecipient(message_id=uuid4(), attempt=1, to_address="bob@example.com", fields={"token-1-x": "Bob"})
    batch = OutgoingBatch(
        from_email="Shop <shop@shop.example>",
        subject="Hi token-1-x",
        text="token-1-x",
        html="<p>token-1-h</p>",
        recipients=(ada, bob),
    )
    alone = OutgoingEmail(
        message_id=ada.message_id,
        attempt=2,
        from_email="Shop <shop@shop.example>",
        to_address="ada@example.com",
        to_name="Ada",
        subject="Hi Ada & Co",
        text="Ada & Co",
        html="<p>Ada &amp; Co</p>",
        headers={"Message-ID": "<1@shop.example>"},
    )
    assert batch.email_to(ada) == alone
    assert batch.email_to(bob).subject == "Hi Bob"
