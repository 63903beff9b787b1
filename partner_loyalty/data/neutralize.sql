-- A copy for tests answers no documents, expires nothing and decides no tiers by itself.
UPDATE ir_cron
   SET active = false
 WHERE id IN (SELECT res_id FROM ir_model_data WHERE module = 'partner_loyalty' AND model = 'ir.cron');
DELETE FROM ir_cron_trigger
 WHERE cron_id IN (SELECT res_id FROM ir_model_data WHERE module = 'partner_loyalty' AND model = 'ir.cron');
-- It pays nothing: without a journal no payout can be billed. It takes no applications from strangers, and asks nobody.
UPDATE partner_loyalty_program
   SET payout_journal_id = NULL,
       is_public = false,
       tier_mails = false,
       quality_survey_id = NULL,
       needs_survey_id = NULL,
       satisfaction_survey_id = NULL,
       name = (SELECT jsonb_object_agg(lang.key, lang.value || ' (neutralized)') FROM jsonb_each_text(name) lang);
-- It writes to no member, also where somebody sets up a mail server and starts the scheduled actions by hand.
UPDATE partner_loyalty_message_setting SET is_active = false;
UPDATE partner_loyalty_message SET state = 'muted' WHERE state = 'queued';
