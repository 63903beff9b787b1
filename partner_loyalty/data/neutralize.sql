-- A copy for tests answers no documents, expires nothing and decides no tiers by itself.
UPDATE ir_cron
   SET active = false
 WHERE id IN (SELECT res_id FROM ir_model_data WHERE module = 'partner_loyalty' AND model = 'ir.cron');
DELETE FROM ir_cron_trigger
 WHERE cron_id IN (SELECT res_id FROM ir_model_data WHERE module = 'partner_loyalty' AND model = 'ir.cron');
-- It pays nothing: without a journal no payout can be billed.
UPDATE partner_loyalty_program
   SET payout_journal_id = NULL, name = name || jsonb_build_object('en_US', (name->>'en_US') || ' (neutralized)');
